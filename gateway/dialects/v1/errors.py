"""The v1 API's errors: from `contracts.Failure`, and for some also from the operation, to status, code and message.

A code is the status and two more characters. Those from 40102 to 40924 that the document lists are the document's, and
so are their messages; the others are this product's, in the same form. docs/v1-api.md has the table for users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
from litestar import Response

from gateway.refusals import error_headers
from shared.contracts import Failed, Failure

if TYPE_CHECKING:
    from gateway.calls import Call


class ErrorBody(msgspec.Struct, rename="camel", kw_only=True):
    """What every error of the v1 API looks like."""

    success: bool = False
    code: str
    message: str
    trx_id: str


class Code(NamedTuple):
    """One row of the table. The status is its first three digits."""

    code: str
    message: str

    @property
    def status(self) -> int:
        """Of the HTTP answer."""
        return int(self.code[:3])


NO_USABLE_FACE = Code("40910", "이미지에서 얼굴 감지 불가")
NO_FACE_SERVER = Code("40901", "FR 서버 연결 실패")

CODES: dict[Failure, Code] = {
    Failure.NO_FACE: Code("4040A", "이미지에서 얼굴 없음"),
    Failure.MULTIPLE_FACES: Code("40923", "다중 얼굴 감지"),
    Failure.LOW_QUALITY: NO_USABLE_FACE,
    Failure.NO_DOCUMENT: Code("4040B", "이미지에서 신분증 없음"),
    Failure.WRONG_DOCUMENT: Code("40004", "신분증 종류 불일치"),
    Failure.BAD_IMAGE: Code("40001", "이미지를 읽을 수 없음"),
    Failure.UNSUPPORTED_IMAGE: Code("40002", "지원하지 않는 이미지 형식"),
    Failure.IMAGE_TOO_LARGE: Code("40003", "이미지 크기 초과"),
    Failure.NOT_ENROLLED: Code("40915", "미등록 사용자"),
    Failure.ALREADY_ENROLLED: Code("40916", "이미 등록된 사용자"),
    Failure.FACE_MISMATCH: Code("40924", "얼굴 불일치"),
    Failure.BAD_REQUEST: Code("40000", "잘못된 요청"),
    Failure.BODY_TOO_LARGE: Code("41300", "요청 본문 크기 초과"),
    Failure.UNSUPPORTED_BODY: Code("41500", "지원하지 않는 요청 본문 인코딩"),
    Failure.NOT_FOUND: Code("40400", "존재하지 않는 경로"),
    Failure.CONFLICT: Code("40900", "이미 존재함"),
    Failure.METHOD_NOT_ALLOWED: Code("40500", "허용되지 않는 메서드"),
    Failure.UNAUTHENTICATED: Code("40101", "인증 실패: 토큰이 없거나 올바르지 않음"),
    Failure.WRONG_ACCESS_KEY: Code("40102", "잘못된 Access Key"),
    Failure.WRONG_SECRET_KEY: Code("40104", "잘못된 Secret Key"),
    Failure.EXPIRED_TOKEN: Code("40105", "Access Token 만료"),
    Failure.EXPIRED_TENANT_TOKEN: Code("40107", "Tenant Token 만료"),
    Failure.FORBIDDEN: Code("40300", "권한 없음"),
    Failure.RATE_LIMITED: Code("42900", "호출 한도 초과"),
    Failure.OCR_FAILED: Code("40904", "OCR 처리 오류"),
    Failure.ENGINE_UNAVAILABLE: Code("50301", "서비스를 사용할 수 없음"),
    Failure.OVERLOADED: Code("50302", "요청이 많아 처리할 수 없음"),
    Failure.DEADLINE: Code("50303", "처리 시간 초과"),
    Failure.STORE_UNAVAILABLE: Code("50304", "서비스 준비 중"),
    Failure.UNKNOWN_OPERATION: Code("50305", "서비스 업그레이드 중"),
    Failure.NOT_ENABLED: Code("50100", "사용하지 않는 기능"),
    Failure.INTERNAL: Code("50000", "서버 내부 오류"),
}

# By (failure, operation), where the document has another code for it than the one above.
OF_OPERATION: dict[tuple[Failure, str], Code] = {
    (Failure.NO_FACE, "register"): NO_USABLE_FACE,
    (Failure.NO_FACE, "verify"): NO_USABLE_FACE,
    (Failure.NOT_ENROLLED, "delete"): Code("40402", "사용자 없음"),
    **{
        (Failure.ENGINE_UNAVAILABLE, operation): NO_FACE_SERVER
        for operation in ("register", "verify", "compare", "count", "delete", "engines")
    },
}

# Of these alone the caller wants to know more than the message says: which field, which flaw of the picture.
EXPLAINED = frozenset(
    {
        Failure.BAD_REQUEST,
        Failure.UNSUPPORTED_BODY,
        Failure.BAD_IMAGE,
        Failure.UNSUPPORTED_IMAGE,
        Failure.IMAGE_TOO_LARGE,
        Failure.LOW_QUALITY,
        Failure.WRONG_DOCUMENT,
    }
)


def code_of(failure: Failure, operation: str) -> Code:
    """The row that answers this failure of this operation."""
    return OF_OPERATION.get((failure, operation), CODES[failure])


def render(outcome: Failed, call: Call) -> Response[ErrorBody]:
    """An error as the document has it, with the headers that HTTP asks for."""
    row = code_of(outcome.failure, call.operation)
    message = row.message
    if outcome.image:
        message = f"{message} (이미지 {outcome.image + 1})"
    if outcome.detail and outcome.failure in EXPLAINED:
        message = f"{message}: {outcome.detail}"
    return Response(
        ErrorBody(code=row.code, message=message, trx_id=call.tx_id),
        status_code=row.status,
        headers=error_headers(outcome, row.status),
        media_type="application/json",
    )
