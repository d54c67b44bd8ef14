# 화면 틀과 구성 요소의 글. 한국어가 원본입니다.

# Words of every page
web-name = 해태
web-skip = 본문 바로가기
web-languages = 언어 선택
web-nav = 주요 메뉴
web-foot = 도움말과 공개 자료
web-foot-help = 도움말
web-foot-log = 공개 기록
web-foot-api = 개발자용 API
web-foot-problems = 오류 안내
web-foot-line = 모든 결정은 고칠 수 없는 공개 기록에 남으며, 누구나 확인할 수 있습니다.
web-logout = 로그아웃
web-banner = 서비스 안내
web-offline = 인터넷 연결이 끊겼습니다. 이미 받은 코드는 계속 쓸 수 있습니다.
web-size-large = 큰 글자
web-theme-dark = 어두운 화면

# The four colours: always beside their shape
web-colour-green = 통과
web-colour-yellow = 확인
web-colour-red = 격리
web-colour-unknown = 알 수 없음

# Words of the kit
web-errors = 입력하신 내용을 확인해 주세요
web-steps = 진행 단계
web-crumbs = 현재 위치
web-pager = 목록 쪽 이동
web-pager-previous = 이전
web-pager-next = 다음

# When something did not go as asked
web-problem-next = 이렇게 해 보세요
web-problem-back = 돌아가기
web-problem-code = 문의하실 때 이 코드를 알려 주세요:

# The style guide at /kit
web-kit-title = 화면 구성 요소
web-kit-lead = 해태의 모든 화면은 이 조각들로 만듭니다.
web-kit-step-phone = 전화번호
web-kit-step-answers = 건강 질문
web-kit-step-code = 내 코드
web-kit-colours = 네 가지 색
web-kit-until = 11월 30일(월) 09:00까지
web-kit-reason = 최근 14일 동안 확진자와 접촉하지 않았다고 답하셨습니다.
web-kit-reason-wait = 현재 규칙에 따라 7일 뒤에 자동으로 풀립니다.
web-kit-reason-missing = 체온을 아직 입력하지 않았습니다. 백신 접종 여부와는 관계가 없습니다.
web-kit-verdicts = 출입구 판정
web-kit-verdict-pass = 들어가세요
web-kit-verdict-pass-reason = 확인되었습니다.
web-kit-verdict-stop = 출입 불가
web-kit-verdict-stop-reason = 코드의 유효 기간이 지났습니다.
web-kit-verdict-unsure = 판단할 수 없음
web-kit-verdict-unsure-reason = 코드를 읽지 못했습니다. 짧은 코드를 입력해 주세요.
web-kit-verdict-again = 다시 스캔
web-kit-form = 신고서
web-kit-name = 이름
web-kit-name-hint = 신분증에 적힌 그대로 써 주세요.
web-kit-phone = 휴대전화 번호
web-kit-phone-error = 휴대전화 번호를 숫자로 입력해 주세요.
web-kit-arrival = 입국한 날
web-kit-note = 더 알려 주실 내용(선택)
web-kit-residence = 사는 곳
web-kit-district-one = 도심
web-kit-district-two = 강변
web-kit-channel = 코드를 어떻게 받으시겠어요?
web-kit-channel-phone = 이 휴대전화 화면으로
web-kit-channel-paper = 종이로 인쇄
web-kit-fever = 최근 14일 동안 열이 난 적이 있나요?
web-kit-cough = 기침이나 목 아픔이 있나요?
web-kit-yes = 예
web-kit-no = 아니요
web-kit-not-known = 모르겠어요
web-kit-consent = 위 내용이 사실임을 확인합니다.
web-kit-submit = 제출하기
web-kit-later = 나중에 하기
web-kit-notices = 알림
web-kit-notice-good = 신고서를 받았습니다.
web-kit-notice-info = 신고 내용은 28일 뒤에 지워집니다.
web-kit-notice-warn = 내일 오전 9시에 코드가 만료됩니다.
web-kit-notice-bad = 문자를 보내지 못했습니다. 1분 뒤에 다시 시도해 주세요.
web-kit-qr = 내 코드
web-kit-qr-short = 짧은 코드
web-kit-lists = 목록과 숫자
web-kit-entries = 오늘 출입
web-kit-devices = 등록된 기기
web-kit-waiting = 확인 대기
web-kit-place = 장소
web-kit-time = 시각
web-kit-result = 결과
web-kit-library = 시립 도서관
web-kit-market = 중앙시장 동문
web-kit-empty = 아직 아무도 이 기록을 보지 않았습니다.
web-kit-page = 2 / 7쪽
web-kit-receipt = 영수증
web-kit-more = 이 색은 어떻게 정해졌나요?
web-kit-home = 처음
