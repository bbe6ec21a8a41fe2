"""Addresses in the forms that cards print: real provinces, districts and roads, invented numbers and houses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from tests.specimens import outsiders

if TYPE_CHECKING:
    from random import Random

# From these days on a province has its new name; a card of before has the old one.
RENAMED = {
    "강원특별자치도": (date(2023, 6, 11), "강원도"),
    "전북특별자치도": (date(2024, 1, 18), "전라북도"),
}
SEJONG_SINCE = date(2012, 7, 1)
# Road addresses came in by law in 2011 and stand alone since 2014; cards of before carry lot numbers.
ROADS_SINCE = date(2012, 1, 1)
HOUSES = (
    "한신아파트",
    "현대아파트",
    "푸르지오",
    "래미안",
    "자이",
    "주공아파트",
    "삼성아파트",
    "롯데캐슬",
    "그린빌라",
    "힐스테이트",
)


@dataclass(frozen=True, slots=True)
class Place:
    """A district: `streets` are roads, each with the legal quarter (동) or the township (읍, 면) it lies in."""

    province: str
    district: str
    streets: tuple[tuple[str, str], ...]

    def province_on(self, day: date) -> str:
        """The province's name on that day."""
        since, former = RENAMED.get(self.province, (date.min, self.province))
        return self.province if day >= since else former

    def issuer(self, rng: Random, day: date) -> str:
        """Who gives out resident cards here: the mayor, the district's head or the county's."""
        parts = self.district.split()
        if len(parts) == 2 and rng.random() < 0.5:
            parts = parts[:1]
        if not parts:
            return f"{self.province}장"
        head = {"시": "장", "구": "청장", "군": "수"}[parts[-1][-1]]
        return f"{self.province_on(day)} {' '.join(parts)}{head}"


def _place(province: str, district: str, streets: str) -> Place:
    pairs = [street.split("/") for street in streets.split()]
    return Place(province, district, tuple((road, quarter) for road, quarter in pairs))


PLACES = (
    _place("서울특별시", "강남구", "테헤란로/역삼동 언주로/논현동 선릉로/삼성동 도곡로/도곡동"),
    _place("서울특별시", "마포구", "월드컵북로/상암동 양화로/서교동 백범로/공덕동"),
    _place("서울특별시", "노원구", "동일로/상계동 한글비석로/중계동 노원로/하계동"),
    _place("서울특별시", "서초구", "서초대로/서초동 반포대로/반포동 방배로/방배동"),
    _place("부산광역시", "해운대구", "해운대로/우동 좌동순환로/중동 센텀중앙로/재송동"),
    _place("부산광역시", "부산진구", "중앙대로/부전동 가야대로/가야동"),
    _place("대구광역시", "수성구", "달구벌대로/범어동 동대구로/두산동"),
    _place("인천광역시", "연수구", "컨벤시아대로/송도동 청능대로/동춘동"),
    _place("인천광역시", "강화군", "강화대로/강화읍 중앙로/선원면"),
    _place("광주광역시", "북구", "용봉로/용봉동 설죽로/일곡동"),
    _place("대전광역시", "유성구", "대학로/궁동 계룡로/봉명동"),
    _place("울산광역시", "남구", "삼산로/삼산동 문수로/옥동"),
    _place("세종특별자치시", "", "한누리대로/나성동 도움로/어진동 달빛로/종촌동"),
    _place("경기도", "수원시 팔달구", "효원로/인계동 정조로/남창동"),
    _place("경기도", "성남시 분당구", "판교역로/백현동 불정로/정자동"),
    _place("경기도", "고양시 일산동구", "중앙로/장항동 무궁화로/마두동"),
    _place("경기도", "의정부시", "시민로/의정부동 호국로/가능동"),
    _place("경기도", "화성시", "동탄대로/오산동 봉영로/봉담읍"),
    _place("강원특별자치도", "춘천시", "공지로/석사동 퇴계로/퇴계동"),
    _place("강원특별자치도", "홍천군", "석화로/홍천읍 공작산로/화촌면"),
    _place("충청북도", "청주시 흥덕구", "가경로/가경동 대농로/복대동"),
    _place("충청북도", "음성군", "무극로/금왕읍 음성로/음성읍"),
    _place("충청남도", "천안시 서북구", "불당대로/불당동 쌍용대로/쌍용동"),
    _place("충청남도", "홍성군", "충남대로/홍북읍 조양로/홍성읍"),
    _place("전북특별자치도", "전주시 완산구", "홍산로/효자동 기린대로/남노송동"),
    _place("전북특별자치도", "익산시", "무왕로/영등동 인북로/남중동"),
    _place("전라남도", "순천시", "왕지로/왕지동 장선로/조례동"),
    _place("전라남도", "무안군", "오룡길/삼향읍 무안로/무안읍"),
    _place("경상북도", "포항시 남구", "포스코대로/대도동 희망대로/상도동"),
    _place("경상북도", "안동시", "경동로/운흥동 풍산태사로/풍산읍"),
    _place("경상남도", "창원시 성산구", "중앙대로/용호동 원이대로/상남동"),
    _place("경상남도", "김해시", "김해대로/부원동 내외로/내동"),
    _place("제주특별자치도", "제주시", "연북로/연동 노형로/노형동"),
    _place("제주특별자치도", "서귀포시", "일주동로/서홍동 중정로/서귀동"),
)


# Their names are of no day: a card of 2015 may have a district of 2026.
OUTSIDE = tuple(_place(*one) for one in outsiders.DISTRICTS)


def place(rng: Random, day: date, provinces: tuple[str, ...] = ()) -> Place:
    """A district, in one of `provinces` where some are named."""
    table = OUTSIDE if outsiders.is_outside(rng) else PLACES
    known = [one for one in table if not provinces or one.province in provinces]
    return rng.choice([one for one in known if one.district or day >= SEJONG_SINCE] or PLACES[:1])


def address(rng: Random, where: Place, day: date) -> str:
    """One address as a card of that day prints it, in one line."""
    road, quarter = rng.choice(where.streets)
    start = [part for part in (where.province_on(day), where.district) if part]
    house = rng.choice(outsiders.HOUSES if outsiders.is_outside(rng) else HOUSES)
    flat = (
        f"{rng.choice((101, 102, 103, 105, 107, 110, 203, 304, 1105))}동 {rng.randint(1, 24)}{rng.randint(1, 8):02d}호"
    )
    if day < ROADS_SINCE:
        lot = f"{rng.randint(1, 999)}-{rng.randint(1, 60)}" if rng.random() < 0.8 else str(rng.randint(1, 999))
        return " ".join((*start, quarter, lot, *((house, flat) if rng.random() < 0.6 else ())))
    township = quarter[-1] in "읍면"
    if rng.random() < 0.45 and road[-1] == "로":
        road += f"{rng.randint(2, 180)}{'길' if where.province == '서울특별시' else '번길'}"
    number = str(rng.randint(1, 420)) + (f"-{rng.randint(1, 40)}" if rng.random() < 0.35 else "")
    start += [quarter, road, number] if township else [road, number]
    form = rng.random()
    if form < 0.6:
        inside = house if township else f"{quarter}, {house}"
        return f"{' '.join(start)}, {flat} ({inside})"
    if form < 0.75:
        return f"{' '.join(start)}, {rng.randint(1, 5)}{rng.randint(1, 4):02d}호" + (
            "" if township else f" ({quarter})"
        )
    return " ".join(start) + ("" if township else f" ({quarter})")
