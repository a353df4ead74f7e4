"""Prompts as people type them, written before the reader was, and what each should be understood as.

One a line: the prompt, "=>", and the values that it states, by their names in `scenes.VALUES`; a factor that is not
named is unsaid. After "=> !" stands what has to be flagged, since nobody could draw it: a word that no scene has, a
negation, a contradiction, a second object.

    pairs    shape colour relation shape colour background, "-" for what is unsaid
    crowds   the objects with ";" between them, then "on" and the background
"""

ONE = {"en": """
Gray background, large crimson circle, upper-left corner => circle red big left top gray
put a tiny blue star at the bottom right please => star blue small right bottom
on white: pink star, lower left => star pink left bottom white
I want a big yellow triangle in the middle of a black canvas => triangle yellow big centre middle black
can you draw me a little green square up in the top right corner? => square green small right top
a huge orange disc, dead centre => circle orange big centre middle
background white. shape square. colour cyan. size small. => square cyan small white
background: black, object: star, color: purple => star purple black
The background is gray and there is a small pink triangle on the left side => triangle pink small left gray
show me a violet star somewhere at the top => star purple top
Make it a red square => square red
a circle that is big and red, in the bottom left => circle red big left bottom
a square, blue, large, in the lower right-hand corner, over a black backdrop => square blue big right bottom black
bottom-center small yellow star against gray => star yellow small centre bottom gray
Top left: orange triangle. White background. => triangle orange left top white
a triangle colored green on a background of white => triangle green white
one single big star, coloured pink, right in the middle => star pink big centre middle
big purple circle topleft on grey => circle purple big left top gray
please generate an image of a small round red thing => circle red small
I'd like to see a sky blue triangle at the right edge => triangle cyan right
Could you paint a massive navy square in the bottom middle of a white page? => square blue big centre bottom white
a five-pointed star in yellow on black => star yellow black
red circle => circle red
STAR!!! => star
teensy orange square, centre left => square orange small left middle
a tiny rose triangle on the far right => triangle pink small right
place the green circle down at the bottom => circle green bottom
In the upper right of a gray image is a large blue circle => circle blue big right top gray
white bg big red triangle center => triangle red big centre middle white
draw big circle color green position left top background black => circle green big left top black
The circle should be small, orange and in the top centre. => circle orange small centre top
there are a big cyan star in the middle right with black background => star cyan big right middle black
with a plain white background: a golden star, medium left => ! medium
a red hexagon in the top left => ! hexagon
a big circle without colour => ! without
a circle, but not red, on white => ! not
a red circle on a green background => ! green
red and blue circle => ! blue
a big red circle and a small blue star => ! star
a gray square in the centre => ! gray
""", "ko": """
왼쪽 위에 큰 빨간 원이 있는 회색 배경 => circle red big left top gray
빨간색 큰 동그라미, 좌측 상단, 회색 바탕 => circle red big left top gray
회색 바탕 왼쪽위 커다란 빨강 원 => circle red big left top gray
우상단에 조그만 노란 별 하나 그려줘 => star yellow small right top
정중앙에 파랑색 네모 보여주세요 => square blue centre middle
하단 우측 보라색 세모, 배경은 검정 => triangle purple right bottom black
흰 바탕에 핑크색 별 모양 => star pink white
까만 배경에다가 초록 동그라미 큰 거 하나 => circle green big black
오렌지색 삼각형을 아래쪽 가운데에 그려 주세요 => triangle orange centre bottom
배경은 하얀색이고 오른쪽에 작은 녹색 별이 있어요 => star green small right white
녹색의 큰 정사각형이 화면 맨 위에 있다 => square green big top
큰 빨간 원 그림 => circle red big
작고 노란 세모가 왼쪽 아래 구석에 있습니다. => triangle yellow small left bottom
하늘색이고 큰 네모 => square cyan big
빨간 동그라미 => circle red
별 => star
둥근 보라색 도형이 한가운데에 => circle purple centre middle
배경 회색, 도형 별, 색 분홍, 크기 작음 => star pink small gray
까만 화면 왼쪽 하단에 커다란 하늘색 별을 넣어줘 => star cyan big left bottom black
회색 배경 위에 작은 파란색 동그라미 => circle blue small gray
흰색 위에 주황색 네모 => square orange white
연한 회색 말고 그냥 회색 배경에 별 => ! 말고
크기가 큰 분홍색 원이 가운데 왼쪽에 있음 => circle pink big left middle
원이 하나 있는데 색은 빨강이고 크기는 작다 => circle red small
위쪽 중앙에 노랑 별, 바탕색은 검은색 => star yellow centre top black
오른편 아래에 작디작은 초록 세모를 그려봐 => triangle green small right bottom
아래에 주황 원 있음 => circle orange bottom
삼각형 보라 큼 오른쪽위 흰배경 => triangle purple big right top white
큰파란별이왼쪽가운데에있어요 => star blue big left middle
검은색 바탕의 우측 중앙에 자그마한 빨간 사각형이 놓여 있다 => square red small right middle black
엄청 큰 노란 동그라미 => circle yellow big
그림 오른쪽 위 모서리에 작은 핑크 하트 => ! 하트
회색 배경에 원이 없다 => ! 없다
빨간색이 아닌 네모 => ! 아닌
초록 배경에 빨간 별 => ! 초록
하얀 동그라미 하나 => ! 하얀
중간 크기의 파란 별 => ! 중간
빨간 원이랑 파란 세모 => ! 세모
파란 빨간 별 => ! 빨간
상단 하단에 노란 별 => ! 하단
"""}

PAIRS = {"en": """
a red circle to the left of a blue square, gray background => circle red left of square blue gray
white background: the green star sits above an orange triangle => star green above triangle orange white
to the right of the yellow square there is a purple star => star purple right of square yellow -
under the pink circle, a cyan triangle on black => triangle cyan below circle pink black
a red square on the left and a blue star on the right => square red left of star blue -
Orange star on top of green circle. => star orange above circle green -
a circle beneath a square => circle - below square - -
on gray, blue triangle with a red circle to its right => circle red right of triangle blue gray
draw a pink star underneath a yellow square => star pink below square yellow -
above: a red triangle, below: a green circle, white background => triangle red above circle green white
a red circle next to a blue square => ! next to
a red circle inside a blue square on white => ! inside
""", "ko": """
파란 네모 왼쪽에 빨간 동그라미가 있어요 => circle red left of square blue -
빨간 원은 파란 사각형 위에 있다, 배경은 회색 => circle red above square blue gray
흰 바탕에 초록 별 아래 주황 세모 => triangle orange below star green white
왼쪽에 빨간 네모, 오른쪽에 파란 별 => square red left of star blue -
검은 배경에서 노란색 원의 오른편에 분홍색 삼각형이 놓여있다 => triangle pink right of circle yellow black
보라색 별이 하늘색 원보다 위쪽에 있음 => star purple above circle cyan -
세모 밑에 동그라미 => circle - below triangle - -
주황 원이 왼쪽에 있고 초록 네모가 오른쪽에 있는 흰색 배경 => circle orange left of square green white
위에는 빨간 삼각형 아래에는 초록 원 => triangle red above circle green -
빨간별 오른쪽에 파란원 그려줘 => circle blue right of star red -
빨간 원 옆에 파란 네모 => ! 옆에
빨간 원 왼쪽에 파란 네모가 없다 => ! 없다
"""}

CROWDS = {"en": """
white background: big red circle top left, small blue star center => circle red big left top ; star blue small centre middle on white
In the top left a big red circle, in the centre a tiny pink square, all on black => circle red big left top ; square pink small centre middle on black
large green triangle (bottom right); small cyan star (upper left); gray background => triangle green big right bottom ; star cyan small left top on gray
On gray there is a small orange square at the bottom centre and there's a big violet star at the middle left => square orange small centre bottom ; star purple big left middle on gray
a big yellow star in the lower left corner plus a little blue circle in the upper right corner, on a white canvas => star yellow big left bottom ; circle blue small right top on white
a big red circle and a small star in the centre on white => ! circle
a small blue circle in the centre, a big red dog in the top left, gray background => ! dog
two red circles on a black background => ! two
""", "ko": """
흰 바탕에 왼쪽 위 큰 빨강 동그라미, 정중앙 작은 파랑 별 => circle red big left top ; star blue small centre middle on white
큰 빨간 원은 왼쪽 위에 있고 작은 분홍 네모는 한가운데에 있는 검은 배경 => circle red big left top ; square pink small centre middle on black
우하단 커다란 초록 세모; 좌상단 조그만 하늘색 별; 배경 회색 => triangle green big right bottom ; star cyan small left top on gray
회색 배경 아래쪽 가운데에 작은 주황색 네모 그리고 왼쪽 가운데에 큰 보라색 별 => square orange small centre bottom ; star purple big left middle on gray
좌측 하단에는 큰 노란 별이, 우측 상단에는 작은 파란 원이 있습니다. 배경은 흰색입니다. => star yellow big left bottom ; circle blue small right top on white
회색 배경에 큰 빨간 원과 가운데 작은 별 => ! 원
검은 바탕 왼쪽 위에 큰 빨간 고양이, 한가운데에 작은 파란 별 => ! 고양이
빨간 원 두 개가 있는 검은 배경 => ! 두
"""}
