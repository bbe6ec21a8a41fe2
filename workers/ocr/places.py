"""The names of Korea's provinces and of the cities, counties and districts in them: closed lists to mend readings by.

Cities of more than 500,000 have districts of their own, which stand as 수원시 팔달구. Those of 2026 are there beside
the ones that they replace: 제물포구, 영종구, 서해구, 검단구 and the four of 화성. Older cards carry names that have
changed since (강원도, 전라북도, 제주도); those are valid values, too, and stay as they are printed.
"""

from __future__ import annotations

import re

# A province by every name that it has or had, and below it what is in it; the district of a city after `_`.
_TABLE = """
서울특별시:
    종로구 중구 용산구 성동구 광진구 동대문구 중랑구 성북구 강북구 도봉구 노원구 은평구 서대문구 마포구 양천구
    강서구 구로구 금천구 영등포구 동작구 관악구 서초구 강남구 송파구 강동구
부산광역시:
    중구 서구 동구 영도구 부산진구 동래구 남구 북구 해운대구 사하구 금정구 강서구 연제구 수영구 사상구 기장군
대구광역시:
    중구 동구 서구 남구 북구 수성구 달서구 달성군 군위군
인천광역시:
    제물포구 영종구 서해구 검단구 중구 동구 미추홀구 남구 연수구 남동구 부평구 계양구 서구 강화군 옹진군
광주광역시:
    동구 서구 남구 북구 광산구
대전광역시:
    동구 중구 서구 유성구 대덕구
울산광역시:
    중구 남구 동구 북구 울주군
세종특별자치시:
경기도:
    수원시_장안구 수원시_권선구 수원시_팔달구 수원시_영통구 성남시_수정구 성남시_중원구 성남시_분당구 안양시_만안구
    안양시_동안구 안산시_상록구 안산시_단원구 고양시_덕양구 고양시_일산동구 고양시_일산서구 용인시_처인구
    용인시_기흥구 용인시_수지구 부천시_원미구 부천시_소사구 부천시_오정구 화성시_만세구
    화성시_효행구 화성시_병점구 화성시_동탄구 의정부시 부천시 광명시 평택시 동두천시
    과천시 구리시 남양주시 오산시 시흥시 군포시 의왕시 하남시 파주시 이천시 안성시 김포시 화성시 광주시 양주시
    포천시 여주시 연천군 가평군 양평군 수원시 성남시 안양시 안산시 고양시 용인시
강원특별자치도|강원도:
    춘천시 원주시 강릉시 동해시 태백시 속초시 삼척시 홍천군 횡성군 영월군 평창군 정선군 철원군 화천군 양구군 인제군
    고성군 양양군
충청북도:
    청주시_상당구 청주시_서원구 청주시_흥덕구 청주시_청원구 청주시 충주시 제천시 보은군 옥천군 영동군 증평군 진천군
    괴산군 음성군 단양군
충청남도:
    천안시_동남구 천안시_서북구 천안시 공주시 보령시 아산시 서산시 논산시 계룡시 당진시 금산군 부여군 서천군 청양군
    홍성군 예산군 태안군
전북특별자치도|전라북도:
    전주시_완산구 전주시_덕진구 전주시 군산시 익산시 정읍시 남원시 김제시 완주군 진안군 무주군 장수군 임실군 순창군
    고창군 부안군
전라남도:
    목포시 여수시 순천시 나주시 광양시 담양군 곡성군 구례군 고흥군 보성군 화순군 장흥군 강진군 해남군 영암군 무안군
    함평군 영광군 장성군 완도군 진도군 신안군
경상북도:
    포항시_남구 포항시_북구 포항시 경주시 김천시 안동시 구미시 영주시 영천시 상주시 문경시 경산시 군위군 의성군
    청송군 영양군 영덕군 청도군 고령군 성주군 칠곡군 예천군 봉화군 울진군 울릉군
경상남도:
    창원시_의창구 창원시_성산구 창원시_마산합포구 창원시_마산회원구 창원시_진해구 창원시 진주시 통영시 사천시 김해시
    밀양시 거제시 양산시 의령군 함안군 창녕군 고성군 남해군 하동군 산청군 함양군 거창군 합천군
제주특별자치도|제주도:
    제주시 서귀포시
"""


def _districts(table: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for heading, body in re.findall(r"^(\S+):\n((?:    .*\n)*)", table, re.MULTILINE):
        districts = tuple(district.replace("_", " ") for district in body.split())
        found |= dict.fromkeys(heading.split("|"), districts)
    return found


DISTRICTS = _districts(_TABLE)
PROVINCES = tuple(DISTRICTS)
# Short forms that addresses begin with as well, and what they are short for.
SHORT = {
    "서울시": "서울특별시",
    "부산시": "부산광역시",
    "대구시": "대구광역시",
    "인천시": "인천광역시",
    "광주시": "광주광역시",
    "대전시": "대전광역시",
    "울산시": "울산광역시",
    "세종시": "세종특별자치시",
}
# What most blocks of flats are called, after who built them.
BUILDINGS = (
    *(
        "래미안",
        "자이",
        "푸르지오",
        "힐스테이트",
        "롯데캐슬",
        "아이파크",
        "더샵",
        "e편한세상",
        "위브",
        "센트럴자이",
        "꿈에그린",
    ),
    *(
        "스위첸",
        "하늘채",
        "어울림",
        "베르디움",
        "리첸시아",
        "포레나",
        "아크로",
        "센트레빌",
        "데시앙",
        "우미린",
        "휴먼시아",
    ),
    *(
        "현대아파트",
        "한신아파트",
        "주공아파트",
        "삼성아파트",
        "우성아파트",
        "벽산아파트",
        "동아아파트",
        "쌍용아파트",
        "한양아파트",
    ),
    *(
        "대림아파트",
        "두산아파트",
        "한라아파트",
        "경남아파트",
        "극동아파트",
        "삼익아파트",
        "신동아아파트",
        "시영아파트",
        "그린빌라",
    ),
)
# Seats of the police offices that issue licences: since 2021 시·도경찰청, before that 지방경찰청 of the short name.
POLICE = tuple(
    f"{name}경찰청장"
    for name in (
        *PROVINCES,
        "경기도남부",
        "경기도북부",
        "경기남부",
        "경기북부",
        "서울",
        "부산",
        "대구",
        "인천",
        "광주",
        "대전",
    )
) + tuple(
    f"{name}지방경찰청장"
    for name in (
        *(
            "서울",
            "부산",
            "대구",
            "인천",
            "광주",
            "대전",
            "울산",
            "세종",
            "경기",
            "경기남부",
            "경기북부",
            "강원",
            "충북",
        ),
        *("충남", "전북", "전남", "경북", "경남", "제주"),
    )
)


def _office(district: str) -> str:
    if district.endswith("군"):
        return f"{district}수"
    return f"{district}청장" if district.endswith("구") else f"{district}장"


# Who issues resident cards in a province, as they print it.
MAYORS = {
    province: tuple(f"{province} {_office(district)}" for district in districts) or (_office(province),)
    for province, districts in DISTRICTS.items()
}
