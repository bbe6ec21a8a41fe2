"""Hanja that names are written with, and how they are read: the card's own second spelling of a name.

Of the 8,000 that the law allows these are the commonest; what is not here is simply not known. At the beginning of a
name ㄹ is dropped or becomes ㄴ (李 is 이, 柳 유 or 류), so some have two readings.
"""

from __future__ import annotations

from functools import lru_cache

_TABLE = """
가佳嘉家珂可歌 각珏 간侃 강姜康剛江强綱鋼 건健建乾件鍵 걸杰傑 겸謙兼 경京敬景慶庚璟瓊卿炅經鏡耕暻 계桂季啓契 고高古
공孔公功恭 곽郭 관寬官觀冠 광光廣匡珖 교敎校喬 구具丘九求球久龜 국國菊 군君軍 권權卷 귀貴 규圭奎規揆珪閨 균均鈞
근根近勤槿瑾 금琴今錦金 기基起奇氣琪紀騎麒技己機祺 길吉 김金 나羅娜奈那 남南男 낭娘 내乃 노盧魯 녹綠 다多茶 단丹端
달達 담潭淡 대大代臺 덕德 도道度都圖導渡桃到陶 동東童桐棟同動 두斗 득得 라羅 락洛樂 란蘭 랑郞 래來 량良亮梁 려麗
련蓮 렬烈 령玲鈴 례禮 로魯盧路 록綠 룡龍 루樓 류柳劉 륜倫 률律 리利理里李梨 린麟隣 림林琳霖 마馬 만萬滿晩 매梅 맹孟
면勉 명明命銘名 모模牟毛 목睦木 무武茂 묵默 문文門 미美米味 민敏民旻珉玟閔 박朴博 반潘 방方邦芳房 배裵培裴 백白百伯柏
범範凡汎 법法 변卞邊 별別 병秉炳丙兵柄 보甫保寶普輔 복福復 본本 봉鳳奉峯峰 부富夫 분粉芬 비飛丕 빈彬斌賓嬪 사士思史師
산山 삼三森 상相尙祥常商象 새塞 생生 서徐瑞西書緖敍舒恕 석錫石碩奭晳 선善宣仙鮮先璿 설雪薛卨 섭燮涉
성成聖星盛晟性誠城聲 세世細 소昭素蘇小笑沼 솔率 송宋松頌 수秀洙壽守水修樹受珠銖 숙淑肅叔 순順純淳舜洵 술述 숭崇 슬瑟
승承勝昇升丞 시時始施詩 식植式湜軾 신申信新辛愼臣 실實 심沈心深 아雅娥兒亞 안安 애愛 양梁楊良陽洋 어魚 언彦 엄嚴
여呂余如汝 연姸淵然延蓮燕緣衍研娟 열烈悅 염廉 엽燁葉 영永英榮泳映瑛鍈寧玲令領暎 예藝禮睿芮 오吳五悟午 옥玉沃 온溫
완完玩莞 왕王 요堯 용龍容勇鎔溶用庸 우宇禹雨祐友佑優又 욱旭昱郁煜 운雲運芸 웅雄熊 원元源遠媛願圓原 월月 위魏偉
유柳劉兪有裕幽維由惟 육陸 윤尹允潤胤閏 율律栗 융隆 은銀恩殷垠誾 을乙 음音 의義儀宜 이李伊以二利怡 익益翼 인仁寅印因
일一日逸鎰 임林任 자子慈姿 장張章長壯莊璋 재在宰栽才載材財 전全田 정鄭貞正丁政廷靜庭晶禎定程楨珽情精 제濟帝諸齊
조趙曺祖朝 종鍾宗鐘種從 좌左 주周朱柱珠株宙主胄 준俊準濬埈峻駿浚遵 중中重仲 지智志池地知枝芝 직稷直
진眞鎭珍振晋陳震辰進 집執 차車次 찬燦贊讚粲璨 창昌滄彰暢 채蔡彩采 천千天川泉 철哲喆鐵澈徹 청淸靑 초初草超 최崔 추秋
춘春 충忠充 치治致 칠七 탁卓鐸 탄坦 태泰太台兌 택澤宅 통通 판判 팔八 평平 표表 풍豐 필弼必 하河夏賀荷 학學鶴 한韓漢翰
해海 향香 허許 헌憲獻軒 혁赫爀革 현賢玄鉉炫顯泫現絃 협協 형亨炯衡馨形 혜惠慧 호浩鎬虎好湖昊皓護 홍洪弘紅 화花和華化
환煥桓歡奐換 황黃皇 회會 효孝曉 후厚 훈勳薰訓勛塤 휘輝徽 희熙喜姬希羲嬉凞 궁宮 갈葛 독獨 사司 황皇 제諸 선鮮 우于
"""


def readings(hanja: str) -> tuple[frozenset[str], ...]:
    """Of each character the syllables that it is read as; empty for one that is not known."""
    return tuple(_read().get(character, frozenset()) for character in hanja)


@lru_cache(maxsize=1)
def _read() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for entry in _TABLE.split():
        for character in entry[1:]:
            found.setdefault(character, set()).add(entry[0])
    return {character: frozenset(syllables) for character, syllables in found.items()}
