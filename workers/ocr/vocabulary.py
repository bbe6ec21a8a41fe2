"""Closed lists: surnames; of an alien card, statuses of stay, and nations as the immigration service spells them."""

from __future__ import annotations

# Those of a thousand persons and more, by the census of 2015; the short ones, and those of two syllables.
SURNAMES = (
    *"김이박최정강조윤장임한오서신권황안송류유홍전고문양손배백허남심노하곽성차주우구민진지엄채원천방공현함변염여추도소석선설마",
    *"길연위표명기반왕금옥육인맹제모탁국어은편용예경봉사부가복태목형피두감음빈동온호범좌팽승간상갈나라련",
    *("남궁", "황보", "제갈", "선우", "독고", "사공", "서문", "동방"),
)

# Enforcement Decree of the Immigration Act, tables 1 to 1-3.
STATUSES = {
    "A-1": "외교",
    "A-2": "공무",
    "A-3": "협정",
    "B-1": "사증면제",
    "B-2": "관광통과",
    "C-1": "일시취재",
    "C-3": "단기방문",
    "C-4": "단기취업",
    "D-1": "문화예술",
    "D-2": "유학",
    "D-3": "기술연수",
    "D-4": "일반연수",
    "D-5": "취재",
    "D-6": "종교",
    "D-7": "주재",
    "D-8": "기업투자",
    "D-9": "무역경영",
    "D-10": "구직",
    "E-1": "교수",
    "E-2": "회화지도",
    "E-3": "연구",
    "E-4": "기술지도",
    "E-5": "전문직업",
    "E-6": "예술흥행",
    "E-7": "특정활동",
    "E-8": "계절근로",
    "E-9": "비전문취업",
    "E-10": "선원취업",
    "F-1": "방문동거",
    "F-2": "거주",
    "F-3": "동반",
    "F-4": "재외동포",
    "F-5": "영주",
    "F-6": "결혼이민",
    "G-1": "기타",
    "H-1": "관광취업",
    "H-2": "방문취업",
}

# Where more than a few hundred residents come from. Others stay as they were read.
_NATIONS = """
CHINA, CHINA P. R., VIETNAM, VIET NAM, UNITED STATES, UNITED STATES OF AMERICA, UZBEKISTAN, PHILIPPINES, THAILAND,
INDONESIA, MONGOLIA, NEPAL, CAMBODIA, JAPAN, RUSSIA, RUSSIAN FEDERATION, CANADA, KAZAKHSTAN, KYRGYZSTAN, SRI LANKA,
BANGLADESH, MYANMAR, PAKISTAN, INDIA, TAIWAN, HONG KONG, UNITED KINGDOM, AUSTRALIA, NEW ZEALAND, FRANCE, GERMANY,
ITALY, SPAIN, NETHERLANDS, POLAND, UKRAINE, TAJIKISTAN, TURKMENISTAN, TURKEY, TURKIYE, IRAN, IRAQ, EGYPT, NIGERIA,
GHANA, ETHIOPIA, KENYA, MOROCCO, SOUTH AFRICA, BRAZIL, MEXICO, PERU, COLOMBIA, ARGENTINA, CHILE, MALAYSIA,
SINGAPORE, LAOS, EAST TIMOR, TIMOR LESTE, YEMEN, SYRIA, SWEDEN, NORWAY, FINLAND, DENMARK, SWITZERLAND, AUSTRIA,
BELGIUM, IRELAND, PORTUGAL, ROMANIA, HUNGARY, CZECH REPUBLIC, BELARUS, ISRAEL, 중국, 베트남, 미국, 우즈베키스탄,
필리핀, 태국, 인도네시아, 몽골, 네팔, 캄보디아, 일본, 러시아, 캐나다, 카자흐스탄, 키르기스스탄, 스리랑카,
방글라데시, 미얀마, 파키스탄, 인도, 타이완, 대만, 홍콩, 영국, 호주, 뉴질랜드, 프랑스, 독일, 우크라이나, 이란,
말레이시아, 싱가포르, 라오스
"""
NATIONS = tuple(name.strip() for name in _NATIONS.replace("\n", " ").split(","))
