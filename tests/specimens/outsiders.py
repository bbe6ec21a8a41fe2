"""Names, houses and districts that are in no list of the product, so that a figure can see what its lists do to them.

Half of everything that is drawn comes from here: rare surnames, naturalised and foreign names of two to eight
syllables, houses called as their builders like, districts of 2026 and later, nations with few residents. All are
invented, but for the districts of 2026 and the nations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

SHARE = 0.5
# Hangul, and the surname and given names of a passport. The first ones begin with a surname that few have.
_NAMES = """
    만성호/MAN/SEONGHO 순민경/SOON/MINKYUNG 창대욱/CHANG/DAEWOOK 로수현/RO/SUHYUN
    뇌지안/NOI/JIAN 흥보라/HEUNG/BORA 묘선우/MYO/SUNWOO 춘다미/CHOON/DAMI
    강전현아/GANGJEON/HYUNA 망절민/MANGJEOL/MIN 소봉연두/SOBONG/YEONDU 쿠마르/KUMAR/RAVI
    알리하산/ALI/HASAN 압둘라/ABDULLAH/NOOR 스미스존/SMITH/JOHN 카밀라/ALIEVA/KAMILA
    샤르마/SHARMA/ANITA 응우옌티흐엉/NGUYEN/THI_HUONG 쩐반득/TRAN/VAN_DUC 팜티마이란/PHAM/THI_MAI_LAN
    바트바야르/BATBAYAR/BOLD 누르술탄아이다로/NURSULTAN/AIDARO 타나카유키/TANAKA/YUKI 왕메이링/WANG/MEILING
    카리모바딜노자/KARIMOVA/DILNOZA 페트로바올가/PETROVA/OLGA 산토스마리아/SANTOS/MARIA 윌리엄스그레이스/WILLIAMS/GRACE
    라이언킴벌리/RYAN/KIMBERLY 초록누리/CHO/ROKNURI 봄빛나래/BOM/BITNARAE 햇살가득/HAET/SALGADEUK
    은하별나라/EUN/HABYEOLNARA 티엔/TIEN/AN 엘사/ELSA/KIM
"""
NAMES = tuple(
    (hangul, surname, given.replace("_", " ")) for hangul, surname, given in (one.split("/") for one in _NAMES.split())
)
LATIN_NAMES = (
    *("KIM SERGEY", "NGUYEN THI HUONG", "SMITH JOHN MICHAEL", "TRAN VAN DUC", "KUMAR RAVI", "BATBAYAR BOLD"),
    *("PETROVA OLGA", "SANTOS MARIA TERESA", "WANG MEILING", "O'BRIEN SEAN", "AL-HASSAN OMAR", "GARCIA ANA"),
)
HOUSES = (
    *("부영아파트", "금호아파트", "우방아파트", "현대2차", "신현대", "동신", "자이아파트", "힐스테이트1차", "대동"),
    *("센트럴파크", "한솔", "그린빌", "한빛마을3단지", "두레빌라", "해모로", "엘크루", "더프라임", "늘푸른아파트"),
    *("삼환아파트", "라온빌", "가온하이츠", "e-편한빌", "스카이뷰", "한마음주택", "솔빛마을"),
)
# Districts of 2026, then older names and ones that there may be one day; each with streets as in `places`.
DISTRICTS = (
    ("경기도", "화성시 동탄구", "동탄대로/오산동 노작로/반송동"),
    ("경기도", "화성시 만세구", "남양로/남양읍 발안로/향남읍"),
    ("경기도", "화성시 효행구", "효행로/봉담읍 태안로/병점동"),
    ("경기도", "화성시 병점구", "병점로/병점동 떡전골로/진안동"),
    ("인천광역시", "제물포구", "참외전로/송현동 인중로/신흥동"),
    ("인천광역시", "영종구", "하늘대로/중산동 영종대로/운서동"),
    ("인천광역시", "서해구", "서곶로/심곡동 가정로/가정동"),
    ("인천광역시", "검단구", "검단로/왕길동 원당대로/당하동"),
    ("서울특별시", "위례구", "위례대로/거여동 복정로/장지동"),
    ("부산광역시", "기장구", "기장대로/기장읍 정관로/정관읍"),
    ("대구광역시", "달성구", "비슬로/현풍읍 테크노대로/유가읍"),
    ("광주광역시", "첨단구", "첨단중앙로/쌍암동 임방울대로/수완동"),
    ("대전광역시", "둔산구", "둔산대로/만년동 한밭대로/둔산동"),
    ("울산광역시", "온산구", "온산로/온산읍 덕신로/온양읍"),
    ("강원특별자치도", "원주군", "흥업로/흥업면 문막로/문막읍"),
    ("충청북도", "청주시 오송구", "오송생명로/오송읍 연제로/강내면"),
    ("충청남도", "당진군", "당진로/당진읍 합덕로/합덕읍"),
    ("전북특별자치도", "전주시 만성구", "만성로/만성동 혁신로/장동"),
    ("전라남도", "여천군", "여천로/소라면 화양로/화양면"),
    ("경상북도", "구미시 산동구", "산동로/산동읍 신당로/옥계동"),
    ("경상남도", "창원시 북면구", "감계로/북면읍 천주로/의창동"),
    ("제주특별자치도", "북제주군", "한림로/한림읍 애월로/애월읍"),
)
NATIONS = (
    *("ICELAND", "FIJI", "CAMEROON", "ESTONIA", "LATVIA", "SLOVENIA", "ZAMBIA", "TONGA", "HONDURAS", "PARAGUAY"),
    *("CROATIA", "JAMAICA", "MALTA", "NAMIBIA"),
)


def is_outside(rng: Random) -> bool:
    """Whether the next thing is drawn from here."""
    return rng.random() < SHARE
