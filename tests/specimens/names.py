"""Invented names: common Korean ones with their hanja and Latin spelling, Latin ones of several nations, and others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.specimens import outsiders

if TYPE_CHECKING:
    from random import Random

# One word each: Hangul, hanja, Latin.
SURNAMES = (
    "김金KIM 이李LEE 박朴PARK 최崔CHOI 정鄭JUNG 강姜KANG 조趙CHO 윤尹YOON 장張JANG 임林LIM 한韓HAN 오吳OH 서徐SEO "
    "신申SHIN 권權KWON 황黃HWANG 안安AHN 송宋SONG 류柳RYU 홍洪HONG 전全JEON 고高KO 문文MOON 양梁YANG 손孫SON 배裵BAE "
    "백白BAEK 허許HEO 남南NAM 심沈SHIM 노盧NOH 하河HA 곽郭KWAK 성成SUNG 차車CHA 주朱JOO 우禹WOO 구具KOO 민閔MIN"
)
LONG_SURNAMES = (
    ("남궁", "南宮", "NAMGUNG"),
    ("황보", "皇甫", "HWANGBO"),
    ("제갈", "諸葛", "JEGAL"),
    ("선우", "鮮于", "SUNWOO"),
)
SYLLABLES = (
    "민敏MIN 서瑞SEO 지智JI 준俊JUN 현賢HYUN 우宇WOO 영英YOUNG 수秀SOO 진眞JIN 은恩EUN 하夏HA 윤潤YOON 도道DO 재在JAE "
    "성成SUNG 경京KYUNG 희熙HEE 정貞JUNG 미美MI 혜惠HYE 연姸YEON 주周JU 호浩HO 태泰TAE 승承SEUNG 원元WON 규圭KYU "
    "철哲CHUL 용龍YONG 상相SANG 기基KI 동東DONG 길吉GIL 순順SOON 옥玉OK 숙淑SOOK 건建GEON 예藝YE 채彩CHAE 나娜NA "
    "라羅RA 빈彬BIN 훈勳HOON 석錫SEOK 찬燦CHAN 웅雄WOONG 선善SUN 화花HWA 종鍾JONG 광光KWANG 명明MYUNG 창昌CHANG "
    "형亨HYUNG 환煥HWAN"
)


@dataclass(frozen=True, slots=True)
class KoreanName:
    """One name in its three spellings: `hangul` without a space, `surname` and `given` as in a passport."""

    hangul: str
    hanja: str
    surname: str
    given: str


@dataclass(frozen=True, slots=True)
class Nation:
    """A nation as an alien card prints it, and names of its people, the surname first."""

    latin: str
    korean: str
    surnames: tuple[str, ...]
    given: tuple[str, ...]


def _nation(latin: str, korean: str, surnames: str, given: str) -> Nation:
    return Nation(latin, korean, tuple(surnames.split()), tuple(given.split()))


NATIONS = (
    _nation(
        "CHINA", "중국", "LI WANG ZHANG LIU CHEN PIAO JIN CUI", "XIANGHUA MEILAN WEI GUANGHAO YONGZHE JIANJUN LIHUA"
    ),
    _nation("VIETNAM", "베트남", "NGUYEN TRAN LE PHAM HOANG VU", "VAN_HAI THI_HUONG MINH_QUAN THI_LAN_ANH DUC_THANG"),
    _nation(
        "UNITED STATES", "미국", "KIM LEE SMITH JOHNSON PARK WILLIAMS", "JOHN GRACE_EUNJI MICHAEL EMILY_ROSE DANIEL"
    ),
    _nation("UZBEKISTAN", "우즈베키스탄", "KIM KARIMOV TSOY RASHIDOVA YUSUPOV", "SERGEY NODIRA ALISHER DILNOZA RUSTAM"),
    _nation("PHILIPPINES", "필리핀", "SANTOS REYES CRUZ DELA_CRUZ GARCIA", "MARIA_TERESA JOSE_ANTONIO ANGELICA RODEL"),
    _nation("THAILAND", "태국", "SAETANG WONGSA CHAIYASIT SRISUK", "SOMCHAI NARUMON ANAN KANYA PRASERT"),
    _nation("INDONESIA", "인도네시아", "WIJAYA SUSANTO PRATAMA HIDAYAT", "BUDI SITI_AMINAH AGUS DEWI_LESTARI"),
    _nation("MONGOLIA", "몽골", "BATBAYAR GANBOLD ENKHTUYA BOLD", "TEMUULEN OYUNCHIMEG BILGUUN SARANGEREL"),
    _nation("NEPAL", "네팔", "GURUNG THAPA SHRESTHA TAMANG RAI", "BISHNU SITA_KUMARI RAM_BAHADUR ANITA"),
    _nation("CAMBODIA", "캄보디아", "SOK CHEA KEO HENG PICH", "SOPHEAP DARA SREYNEANG VANNAK"),
    _nation("JAPAN", "일본", "SATO TANAKA SUZUKI YAMAMOTO ITO", "YUKI HARUTO AIKO KENJI SAKURA"),
    _nation("RUSSIA", "러시아", "IVANOV PETROVA KIM TEN VOLKOV", "DMITRY ANASTASIA OLGA VIKTOR"),
    _nation("CANADA", "캐나다", "CHOI TREMBLAY BROWN MACDONALD", "SARAH_MIN LUCAS OLIVIA ETHAN_JAMES"),
    _nation("KAZAKHSTAN", "카자흐스탄", "KIM AKHMETOV NURZHANOVA TSOI", "AIGERIM TIMUR ZHANNA ARMAN"),
    _nation("SRI LANKA", "스리랑카", "PERERA FERNANDO SILVA BANDARA", "NUWAN_PRADEEP CHAMARI KASUN DILINI"),
)


def korean_name(rng: Random) -> KoreanName:
    """A surname of one syllable, rarely two, and a given name of two syllables, rarely one; or one of no list.

    That has no hanja.
    """
    if outsiders.is_outside(rng):
        hangul, family, own = rng.choice(outsiders.NAMES)
        return KoreanName(hangul, "", family, own)
    surname = rng.choice(LONG_SURNAMES) if rng.random() < 0.04 else _spelt(rng.choice(SURNAMES.split()))
    given = [_spelt(one) for one in rng.sample(SYLLABLES.split(), 1 if rng.random() < 0.06 else 2)]
    joint = rng.choice(("", "", " ", "-"))
    return KoreanName(
        hangul=surname[0] + "".join(one[0] for one in given),
        hanja=surname[1] + "".join(one[1] for one in given),
        surname=surname[2],
        given=joint.join(one[2] for one in given),
    )


def latin_name(rng: Random, nation: Nation) -> str:
    """An alien's name in capitals, the surname first."""
    return f"{rng.choice(nation.surnames)} {rng.choice(nation.given)}".replace("_", " ")


def _spelt(entry: str) -> tuple[str, str, str]:
    return entry[0], entry[1], entry[2:]
