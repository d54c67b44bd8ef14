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

# 메뉴와 머리
web-nav-home = 처음
web-nav-sign-in = 로그인
web-nav-desk = 업무
web-signed-in = 로그인됨
web-signed-out = 로그아웃했습니다.
web-acting-for = 지금 { $name } 님을 대신해 이용하고 있습니다.

# 첫 화면
web-home-title = 처음
web-home-heading = { $region } 해태
web-home-lead = 짧은 건강 신고로 건강 코드를 받고, 문을 지날 때 보여 주세요.
web-home-lead-citizen = 다음에 할 일은 아래에 있습니다.
web-home-lead-staff = 맡은 일은 업무 화면에 모여 있습니다.
web-home-sign-in = 휴대전화 번호로 시작하기
web-home-more = 더 보기
web-home-passkey = 다음부터는 문자 없이 로그인하세요
web-home-passkey-why = 패스키를 만들면 지문, 얼굴 또는 화면 잠금으로 로그인합니다. 문자를 기다리지 않아도 됩니다.
web-home-passkey-button = 패스키 만들기
web-home-colours = 네 가지 색
web-home-colours-what = 건강 코드의 색은 언제나 모양, 낱말과 함께 나타납니다.
web-home-promise = 해태가 지키는 약속
web-home-promise-reason = 색이 정해진 까닭과 끝나는 때를 언제나 알려 드립니다.
web-home-promise-log = 모든 결정은 고쳐 쓸 수 없는 공개 기록에 남습니다.
web-home-promise-erase = 출입 기록은 28일이 지나면 지워집니다.

# 로그인
web-sign-in-title = 로그인
web-sign-in-lead = 휴대전화 번호를 입력하시면 인증번호를 문자로 보내 드립니다.
web-sign-in-phone = 휴대전화 번호
web-sign-in-phone-hint = 예: 010-1234-5678. 외국 번호는 +로 시작해 주세요.
web-sign-in-send = 인증번호 받기
web-sign-in-passkey = 패스키로 로그인
web-sign-in-passkey-what = 이 기기나 보안 키에 만들어 둔 패스키를 사용합니다.
web-sign-in-passkey-button = 패스키 사용하기
web-code-title = 인증번호 입력
web-code-lead = { $phone } 번호로 인증번호를 보냈습니다. 5분 안에 입력해 주세요.
web-code-label = 인증번호
web-code-hint = 문자로 받은 숫자 6자리입니다. 아무에게도 알려 주지 마세요.
web-code-check = 확인
web-code-none = 문자를 받지 못하셨나요?
web-code-none-what = 1분쯤 기다려 보시고, 그래도 오지 않으면 다시 받아 주세요.
web-code-again = 인증번호 다시 받기
web-code-other = 다른 번호 사용하기
web-code-demo = 체험판에서는 문자가 실제로 나가지 않습니다.
web-otp-message = [{ $region }] 인증번호는 { $code }입니다. 5분 동안 쓸 수 있습니다. 아무에게도 알려 주지 마세요.
web-link-title = 한 번만 쓰는 로그인 링크
web-link-lead = { $name } 님으로 로그인합니다. 이 링크는 한 번만 쓸 수 있습니다.
web-link-lead-nobody = 이 링크로 로그인합니다. 한 번만 쓸 수 있습니다.
web-link-button = 로그인하기

# 내 기기와 패스키
web-sessions-title = 로그인한 기기
web-sessions-lead = 모르는 기기가 있으면 바로 로그아웃시켜 주세요.
web-sessions-since = 로그인한 때
web-sessions-seen = 마지막으로 쓴 때
web-sessions-here = 지금 쓰고 있는 기기입니다.
web-sessions-end = 이 기기에서 로그아웃
web-sessions-ended = 그 기기에서 로그아웃했습니다.
web-device-unknown = 알 수 없는 기기
web-passkeys-title = 패스키
web-passkeys-lead = 패스키는 지문, 얼굴 또는 화면 잠금으로 로그인하는 방법입니다. 비밀번호가 없어 빼앗길 것도 없습니다.
web-passkeys-required = 업무를 시작하려면 먼저 패스키를 만들어 주세요.
web-passkeys-make = 이 기기에 패스키 만들기
web-passkeys-missing = 이 브라우저에서는 패스키를 만들 수 없습니다. 스크립트를 켜거나 다른 브라우저를 사용해 주세요.
web-passkeys-impossible = 이 주소에서는 패스키를 쓸 수 없습니다.
web-passkeys-yours = 내 패스키
web-passkeys-empty = 아직 패스키가 없습니다.
web-passkeys-made-at = 만든 때
web-passkeys-used-at = 마지막으로 쓴 때
web-passkeys-unused = 아직 쓰지 않음
web-passkeys-remove = 이 패스키 지우기
web-passkeys-removed = 패스키를 지웠습니다.

# 업무 화면
web-desk-title = 업무
web-desk-lead = { $region }에서 맡은 일입니다.
web-desk-empty = 맡은 역할이 아직 없습니다. 관리자에게 문의해 주세요.
web-desk-account = 내 계정

# 오류 코드 안내
web-problems-title = 오류 코드
web-problems-lead = 서비스가 요청을 들어주지 못할 때 알려 드리는 코드입니다. 코드는 바뀌지 않습니다.
web-problems-code = 코드
web-problems-status = HTTP 상태
web-problems-meaning = 뜻
web-problems-all = 모든 코드 보기
web-problem-detail = 요청하신 일을 하지 못했습니다.
web-problem-again = 앞 화면으로 돌아가 내용을 확인하고 다시 시도해 주세요.
web-problem-later = 잠시 뒤에 다시 시도해 주세요. 계속되면 아래 코드를 알려 주세요.
web-problem-look = 주소를 확인하거나 처음 화면에서 찾아보세요.
web-problem-sign-in = 로그인한 뒤 다시 시도해 주세요.
web-problem-wait = { NUMBER($seconds) }초 뒤에 다시 시도해 주세요.

web-busy = 지금 요청이 몰려 있습니다.
web-busy-help = 아무것도 저장되지 않았습니다. 조금 뒤에 다시 보내셔도 두 번 처리되지 않습니다.
web-cross-site = 다른 사이트에서 온 요청은 받지 않습니다.
web-cross-site-help = 해태의 화면에서 직접 눌러 주세요.
web-csrf = 화면이 오래되어 보내지 못했습니다.
web-csrf-help = 화면을 새로 고친 뒤 다시 보내 주세요. 브라우저가 쿠키를 막고 있는지도 확인해 주세요.
web-expired = 시간이 지났습니다.
web-expired-help = 처음부터 다시 시작해 주세요.
web-fault = 저희 쪽에서 문제가 생겼습니다.
web-fault-help = 담당자가 볼 수 있도록 기록했습니다.
web-forbidden = 이 일을 할 권한이 없습니다.
web-forbidden-help = 역할이 바뀌었거나 기한이 지났을 수 있습니다. 관리자에게 문의해 주세요.
web-form-invalid = 보내신 내용을 읽을 수 없습니다.
web-form-invalid-help = 빠진 항목이 있거나 글자가 깨졌습니다.
web-json-invalid = 보내신 JSON을 읽을 수 없습니다.
web-json-invalid-help = 본문이 API 설명의 형식과 다릅니다.
web-link-used = 이미 썼거나 기한이 지난 링크입니다.
web-link-used-help = 새 링크를 요청하거나 다른 방법으로 로그인해 주세요.
web-media-type = 이 형식으로는 받을 수 없습니다.
web-media-type-help = API 설명에 적힌 Content-Type으로 보내 주세요.
web-method-not-allowed = 이 주소에서는 할 수 없는 요청입니다.
web-method-not-allowed-help = API 설명에서 쓸 수 있는 방법을 확인해 주세요.
web-not-found = 찾으시는 화면이 없습니다.
web-not-found-help = 주소가 바뀌었거나, 볼 수 없는 내용일 수 있습니다.
web-not-ready = 서비스가 지금은 요청을 받을 수 없습니다.
web-not-ready-help = 담당자가 살펴보고 있습니다. 잠시 뒤에 다시 시도해 주세요.
web-otp-wrong = 인증번호가 맞지 않거나 기한이 지났습니다.
web-otp-wrong-help = 다섯 번 틀리면 인증번호를 새로 받아야 합니다.
web-passkey-failed = 패스키를 확인하지 못했습니다.
web-passkey-failed-help = 다시 시도하거나 다른 방법으로 로그인해 주세요.
web-passkey-last = 마지막 패스키는 지울 수 없습니다.
web-passkey-last-help = 다른 패스키를 먼저 만들어 주세요.
web-passkey-required = 패스키로 로그인해야 합니다.
web-passkey-required-help = 이 일은 패스키로 로그인한 뒤에 할 수 있습니다.
web-path-invalid = 주소를 읽을 수 없습니다.
web-path-invalid-help = 주소의 일부가 잘렸을 수 있습니다.
web-moving = 지금 이 서비스를 맡는 서버가 바뀌고 있습니다.
web-moving-help = 몇 초 뒤에 다시 보내 주세요. 보시던 화면에서 그대로 다시 보내시면 두 번 처리되지 않습니다.
web-paused = 지금은 새로 기록할 수 없습니다.
web-paused-help = 보기는 그대로 됩니다. 아무것도 저장되지 않았으니 잠시 뒤에 다시 보내 주세요.
web-phone-invalid = 휴대전화 번호를 확인해 주세요.
web-phone-invalid-help = 숫자로 입력하고, 외국 번호는 +와 나라 번호로 시작해 주세요.
web-sign-in-required = 로그인이 필요합니다.
web-sign-in-required-help = 로그인한 뒤 다시 시도해 주세요.
web-timeout = 답이 너무 오래 걸려 멈추었습니다.
web-timeout-help = 잠시 뒤에 다시 시도해 주세요.
web-unanswered = 보내신 것이 처리되었는지 알 수 없습니다.
web-unanswered-help = 다시 보내기 전에 기록을 먼저 확인해 주세요.
web-too-large = 보내신 내용이 너무 큽니다.
web-too-large-help = 1 MiB까지 받을 수 있습니다.
web-too-many = 짧은 시간에 너무 많이 요청하셨습니다.
web-too-many-help = 조금 기다렸다가 다시 시도해 주세요.

# 도움말
web-help-title = 도움말
web-help-lead = 자주 묻는 것들입니다.
web-help-colour = 색은 무슨 뜻인가요?
web-help-colour-answer = ● 통과는 출입할 수 있다는 뜻, ▲ 확인은 7일 동안 살펴본다는 뜻, ■ 격리는 14일 동안 격리한다는 뜻입니다. ◇ 알 수 없음은 아직 모르는 것이 있다는 뜻이며, 백신을 맞지 않았다는 뜻이 아닙니다.
web-help-wrong = 색이 잘못된 것 같아요.
web-help-wrong-answer = 내 코드 화면에서 까닭을 확인하고 이의를 제기할 수 있습니다. 24시간 안에 담당자가 답합니다.
web-help-nophone = 휴대전화가 없어요.
web-help-nophone-answer = 종이에 인쇄한 코드를 쓸 수 있습니다. 가족이 동의를 받아 대신 신고할 수도 있습니다.
web-help-who = 누가 제 기록을 보나요?
web-help-who-answer = 누가, 언제, 왜 보았는지 모두 남습니다. 로그인하면 그 목록을 볼 수 있습니다.
web-help-erased = 언제 지워지나요?
web-help-erased-answer = 출입 기록은 28일 뒤에 저절로 지워집니다. 계정은 언제든지 지울 수 있습니다.
web-help-else = 다른 질문이 있어요.
web-help-else-answer = 가까운 보건소나 시청 민원실에 문의해 주세요. 화면에 코드가 보이면 함께 알려 주세요.

# 개발자용
web-api-title = 개발자용 API
web-api-lead = 프로그램이 쓰는 주소들입니다. 거절하는 답은 모두 RFC 9457 형식이고 바뀌지 않는 code를 담습니다.
web-api-machine = OpenAPI 3.1 문서 (JSON)
web-api-empty = 아직 공개된 API가 없습니다.

# 체험판
web-inbox-title = 체험판 문자함
web-inbox-lead = 실제로는 휴대전화로 나갈 문자들입니다. 체험판에서는 여기에서 볼 수 있습니다.
web-inbox-empty = 아직 보낸 문자가 없습니다.

# Rules: what a step of an evaluation said
web-rule-step-var = “{ $path }” 값은 { $value }입니다.
web-rule-step-if = 조건은 { $guard }이므로 결과는 { $value }입니다.
web-rule-step-and-yes = 모두 성립합니다.
web-rule-step-and-no = 모두 성립하지는 않습니다. { $value }에서 멈췄습니다.
web-rule-step-equal-yes = { JOSA($left, "은/는") } { JOSA($right, "과/와") } 같습니다.
web-rule-step-equal-no = { JOSA($left, "은/는") } { JOSA($right, "과/와") } 다릅니다.
web-rule-step-in-yes = { JOSA($left, "은/는") } 목록({ $right })에 있습니다.
web-rule-step-in-no = { JOSA($left, "은/는") } 목록({ $right })에 없습니다.
web-rule-step-plus = { $left } 더하기 { JOSA($right, "은/는") } { $value }입니다.
web-rule-step-greater-yes = { JOSA($left, "은/는") } { $right }보다 큽니다.
web-rule-step-greater-no = { JOSA($left, "은/는") } { $right } 이하입니다.
web-rule-step-less-yes = { JOSA($left, "은/는") } { $right }보다 작습니다.
web-rule-step-less-no = { JOSA($left, "은/는") } { $right } 이상입니다.
web-rule-step-after-yes = { JOSA($left, "은/는") } { $right }보다 뒤입니다.
web-rule-step-after-no = { JOSA($left, "은/는") } { $right }보다 뒤가 아닙니다.
web-rule-step-before-yes = { JOSA($left, "은/는") } { $right }보다 앞입니다.
web-rule-step-before-no = { JOSA($left, "은/는") } { $right }보다 앞이 아닙니다.
web-rule-step-chain-yes = { $chain }: 성립합니다.
web-rule-step-chain-no = { $chain }: 성립하지 않습니다.
web-rule-step-not = { $left }의 반대는 { $value }입니다.
web-rule-step-time = { JOSA($left, "은/는") } { $value } 시점입니다.
web-rule-step-time-plus = { $left }에 { $amount }{ $unit } 더하면 { $value }입니다.
web-rule-step-reduce = 목록을 차례로 모은 결과는 { $value }입니다.
web-rule-step-extract = 식별자 { $left }의 { $index }번 부분은 { $value }입니다.
web-rule-step-birth = 생년월일 { JOSA($left, "은/는") } 늦어도 { $value }입니다.
web-rule-unit-year = 년을
web-rule-unit-month = 개월을
web-rule-unit-day = 일을
web-rule-unit-hour = 시간을
web-rule-nothing = 없음
web-rule-true = 참
web-rule-false = 거짓
web-rule-omitted-array = { $length }개 항목의 목록
web-rule-omitted-object = { $length }개 항목의 기록
web-rule-omitted-string = { $length }바이트의 글

# Rules: why an evaluation has no value
web-rule-failed-not-a-boolean = 참도 거짓도 아닌 값입니다.
web-rule-failed-not-an-integer = 정수가 필요한 곳에 정수가 아닌 값이 있습니다.
web-rule-failed-not-an-array = 목록이 필요한 곳에 목록이 아닌 값이 있습니다.
web-rule-failed-not-a-text = 글이 필요한 곳에 글이 아닌 값이 있습니다.
web-rule-failed-not-a-date-time = 시각이 필요한 곳에 시각이 아닌 값이 있습니다.
web-rule-failed-not-a-date = 날짜로 읽을 수 없는 글입니다.
web-rule-failed-date-out-of-range = 날짜가 0000년에서 9999년 사이를 벗어납니다.
web-rule-failed-number-out-of-range = 수가 너무 큽니다.
web-rule-failed-not-comparable = 두 값이 같은지 정할 수 없습니다.
web-rule-failed-too-many-steps = 이 자료에 대해 규칙의 계산이 너무 깁니다.
web-rule-failed-too-deep = 값이 너무 깊이 겹쳐 있습니다.

# Rules: why a rule is refused at import
web-rule-invalid-not-an-expression = 이 값은 규칙의 식이 될 수 없습니다.
web-rule-invalid-not-an-integer = 정수만 쓸 수 있습니다.
web-rule-invalid-number-out-of-range = 수가 너무 큽니다.
web-rule-invalid-not-one-operator = 연산자는 정확히 하나여야 합니다.
web-rule-invalid-malformed-operation = 연산의 모양이 올바르지 않습니다.
web-rule-invalid-unknown-operator = 없는 연산자입니다.
web-rule-invalid-wrong-operand-count = 피연산자의 개수가 맞지 않습니다.
web-rule-invalid-malformed-operand = 이 피연산자에 쓸 수 없는 값입니다.
web-rule-invalid-malformed-path = 읽을 경로가 올바르지 않습니다.
web-rule-invalid-too-deep = 너무 깊이 겹쳐 있습니다.
web-rule-invalid-too-large = 너무 큽니다.
web-rule-invalid-malformed-field = 항목의 값이 올바르지 않습니다.
web-rule-invalid-unknown-field = 아무도 읽지 않는 항목입니다.
web-rule-invalid-duplicate-code = 같은 코드의 규칙이 위에 있습니다.
web-rule-invalid-missing-field = 있어야 할 항목이 없습니다.
web-rule-invalid-engine-too-old = 규칙이 더 새로운 엔진을 요구합니다.
web-rule-invalid-not-read = 규칙이 읽지 않는 항목이 적혀 있습니다.
web-rule-invalid-not-listed = 규칙이 읽는 항목이 적혀 있지 않습니다.
