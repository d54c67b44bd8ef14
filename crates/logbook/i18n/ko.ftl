# 공개 기록부의 글. 한국어가 원문입니다.

# 기록부
logbook-log-title = 공개 기록부
logbook-log-lead = 시가 남기는 모든 기록은 이곳에 한 줄로 올라갑니다. 줄은 더해질 뿐 고치거나 지울 수 없고, 누구나 그것을 확인할 수 있습니다. 이름과 건강 정보는 여기에 없습니다.
logbook-check-link = 직접 확인하기
logbook-receipts-link = 나에 관한 기록 보기
logbook-tile-entries = 전체 기록
logbook-tile-today = 오늘 기록
logbook-head-title = 서명된 기록부의 머리
logbook-signed-at = { $at }에 서명했습니다.
logbook-head-text = 이 값 하나가 지금까지의 모든 기록을 대신합니다. 적어 두시면 나중에 단 한 줄이라도 바뀌었는지 증명할 수 있습니다.
logbook-head-whole = 체크포인트 전체
logbook-newest-title = 최근 기록
logbook-log-empty = 아직 기록이 없습니다. 시의 첫 결정이 첫 기록이 됩니다.
logbook-column-index = 번호
logbook-column-at = 시각
logbook-column-kind = 내용
logbook-days-title = 날짜별 기록 수
logbook-kinds-title = 최근 { NUMBER($count) }건의 종류

# 찾기
logbook-search-title = 기록 찾기
logbook-search-label = 기록 찾기
logbook-search-hint = 번호, 해시, 또는 봉인값으로 찾습니다.
logbook-search-button = 찾기
logbook-search-invalid = 번호, 또는 16진수 64자나 base64 44자의 해시를 입력해 주세요.
logbook-search-nowhere = 기록부에 그런 기록이 없습니다.
logbook-search-not-since = { NUMBER($index) }번부터의 기록에는 없습니다. 그보다 오래된 기록은 아직 찾아보지 않았습니다.
logbook-search-further = 더 오래된 기록에서 찾기

# 기록 하나
logbook-entry-title = 기록 { NUMBER($index) }번
logbook-fact-at = 기록 시각
logbook-fact-kind = 종류
logbook-fact-region = 지역
logbook-fact-hash = 이 기록의 해시
logbook-entry-holds-title = 이 기록에 담긴 것
logbook-entry-public = 공개 기록입니다. 내용 전체가 여기에 있습니다.
logbook-entry-commit = 내용은 공개되지 않습니다. 여기에는 봉인값만 있습니다. 봉인값은 단 하나의 내용에만 들어맞지만 그 내용을 알려 주지 않습니다. 당사자는 내용이 들어맞음을 보일 수 있고, 내용이 지워지면 남은 봉인값은 누구에게도 아무것도 알려 주지 않습니다.
logbook-entry-line = 해시한 그대로의 기록
logbook-entry-way-title = 서명된 뿌리까지의 길
logbook-entry-way = { $steps ->
    [0] 기록부의 유일한 기록이므로 이 기록의 해시가 곧 뿌리입니다.
   *[other] 이 기록을 이웃과 함께 { NUMBER($steps) }번 해시하면 기록 { NUMBER($size) }건 전체의 뿌리가 됩니다. 기록이 바뀌었다면 다른 뿌리가 나옵니다.
}
logbook-entry-way-picture = 맨 아래의 기록에서 맨 위의 뿌리까지 이어지는 길
logbook-entry-way-caption = 맨 아래가 이 기록의 해시입니다. 실선 칸은 계산한 값, 점선 칸은 확인서에 담긴 이웃 값입니다. 맨 위가 서명된 뿌리입니다.
logbook-entry-way-list = 이웃 값 전체
logbook-entry-check = 이 기록 확인하기
logbook-entry-receipt = 확인서 내려받기
logbook-entry-receipt-text = 확인서에는 이 기록, 이웃 값, 서명된 체크포인트가 들어 있습니다. 우리 없이도 몇 년 뒤에 확인할 수 있고, 개인정보는 없습니다.

# 직접 확인하기
logbook-check-title = 직접 확인하기
logbook-check-lead = 저희 말을 믿지 않으셔도 됩니다. 기록을 하나 골라, 기록부가 서명한 뿌리까지의 계산을 따라가 보세요.
logbook-check-entry-label = 기록 번호
logbook-check-button = 계산 보기
logbook-check-entry-unknown = { $size ->
    [0] 아직 기록이 없습니다.
   *[other] { NUMBER($size) }보다 작은 번호를 입력해 주세요. 기록은 0번부터 셉니다.
}
logbook-check-worked-title = 기록 { NUMBER($index) }번의 계산
logbook-check-worked-text = 모든 해시는 SHA-256입니다. 기록은 앞에 0바이트를, 각 단계는 앞에 1바이트를 붙여 왼쪽 값과 오른쪽 값을 이어 해시합니다.
logbook-check-holds = 계산이 뿌리에 이릅니다. 이 기록은 바뀌지 않은 채 기록부에 있습니다.
logbook-check-fails = 계산이 뿌리에 이르지 않습니다. 이 화면을 저장하고 감사인에게 알려 주세요.
logbook-island-title = 내 브라우저에서 확인
logbook-island-text = 같은 계산을 이 기기가 직접 합니다. 기록과 이웃 값, 체크포인트를 가져와 처음부터 다시 계산합니다.
logbook-island-button = 여기서 계산하기
logbook-island-working = 계산하는 중입니다…
logbook-island-entry = 기록
logbook-island-leaf = 기록의 해시
logbook-island-step-left = 왼쪽 이웃과 함께
logbook-island-step-right = 오른쪽 이웃과 함께
logbook-island-root = 체크포인트의 뿌리
logbook-island-signature-good = 체크포인트의 서명이 올바릅니다.
logbook-island-signature-bad = 체크포인트의 서명이 올바르지 않습니다.
logbook-island-signature-unable = 이 브라우저는 서명을 확인하지 못합니다. 나머지는 모두 계산했습니다.
logbook-island-good = 맞습니다. 이 기록은 바뀌지 않은 채 기록부에 있습니다.
logbook-island-bad = 맞지 않습니다. 이 화면을 저장하고 감사인에게 알려 주세요.
logbook-island-failed = 계산하지 못했습니다.
logbook-check-hand-title = 터미널에서 손으로
logbook-check-hand-text = 각 줄은 위의 계산에 나온 값을 출력해야 합니다.
logbook-check-all-title = 기록부 전체를 우리 프로그램으로
logbook-check-all-text = 모든 기록을 가져와 나무 전체를 다시 계산하고, 타일과 서명된 뿌리에 견주어 처음으로 잘못된 기록을 짚어 줍니다. 내 컴퓨터에서 돌아가며 공개 파일 말고는 우리에게서 필요한 것이 없습니다.
logbook-check-all-since = 다음부터는 보관해 둔 체크포인트에서 이어서 검사합니다. 기록부가 늘어나기만 했는지 확인하고, 새로 생긴 것만 받습니다.
logbook-check-go-title = 다른 이들의 프로그램으로
logbook-check-go-text = 기록부는 공개 규격인 C2SP(tlog-tiles, tlog-checkpoint, signed-note, tlog-proof)를 따릅니다. 이 짧은 프로그램은 Go 프로젝트의 라이브러리로 확인서를 검사합니다. 기록의 확인서와 함께 내려받으세요.
logbook-check-kept-title = 적어 둔 체크포인트와 비교
logbook-check-kept-text = 지난달에 뿌리를 적어 둔 사람은 그 뒤로 기록부가 늘기만 했는지 오늘 확인할 수 있습니다.
logbook-check-kept-link = 내 체크포인트와 비교하기
logbook-check-key-title = 이 기록부의 열쇠
logbook-check-key-text = 서명은 이 열쇠로 확인합니다. 시청 게시판이나 신문처럼 다른 곳에 실린 열쇠와 견주어 보세요. 위조된 화면이라면 위조된 열쇠를 보여 줄 수도 있습니다.

# 비교
logbook-consistency-title = 기록부의 두 시점 비교
logbook-consistency-lead = 예전에 적어 둔 기록 수와 뿌리를 입력하세요. 그 뒤로 기록부가 늘기만 했는지 알려 드립니다.
logbook-consistency-old = 예전 기록 수
logbook-consistency-old-hint = 적어 둔 체크포인트의 둘째 줄입니다.
logbook-consistency-old-invalid = { $size ->
    [0] 아직 기록이 없어 비교할 것이 없습니다.
   *[other] 1부터 { NUMBER($size) }까지, 나중 기록 수보다 크지 않은 수를 입력해 주세요.
}
logbook-consistency-root = 예전 뿌리 (선택)
logbook-consistency-root-hint = 적어 둔 체크포인트의 셋째 줄입니다.
logbook-consistency-root-invalid = 뿌리를 base64 44자 또는 16진수 64자로 입력해 주세요.
logbook-consistency-new = 나중 기록 수 (선택)
logbook-consistency-new-hint = 비워 두면 지금의 기록부({ $size }건)와 비교합니다.
logbook-consistency-new-invalid = { NUMBER($size) } 이하의 수를 입력해 주세요.
logbook-consistency-button = 비교하기
logbook-consistency-good = { NUMBER($new) }건의 기록부는 뿌리를 적어 두신 바로 그 { NUMBER($old) }건으로 시작합니다. 바뀐 것이 없습니다.
logbook-consistency-grew = { NUMBER($new) }건의 기록부는 아래 뿌리를 가진 { NUMBER($old) }건의 기록부로 시작합니다. 그 뿌리를 적어 두신 것과 견주어 보세요.
logbook-consistency-other-root = 입력하신 뿌리는 이 기록부의 { NUMBER($old) }건에 대한 뿌리가 아닙니다. 옳게 옮겨 적으셨다면 기록부의 과거가 바뀐 것입니다. 체크포인트를 보관하고 감사인이나 언론에 보여 주세요.
logbook-consistency-broken = { NUMBER($new) }건의 기록부가 { NUMBER($old) }건의 기록부를 잇지 않습니다. 이 화면을 저장하고 감사인에게 알려 주세요.
logbook-consistency-root-at = 기록 { NUMBER($size) }건의 뿌리
logbook-consistency-path = 증명 값
logbook-consistency-path-empty = 두 시점이 같아 더 필요한 값이 없습니다.

# 나의 기록
logbook-account = 내 정보
logbook-receipts-title = 기록부에 있는 나의 기록
logbook-receipts-lead = 나에 관한 기록입니다. 나만 열어 볼 수 있습니다. 중요한 기록은 확인서를 보관하세요. 무엇이 기록되었는지 누구에게나, 시에 대해서도 증명할 수 있습니다.
logbook-receipts-empty = 아직 나에 관한 기록이 없습니다.
logbook-receipts-count = 기록 { NUMBER($count) }건
logbook-receipt-payload-title = 기록된 내용
logbook-receipt-bound-title = 공개 기록과 이어지는 방법
logbook-receipt-bound-text = 내용과 무작위 소금값을 함께 해시하면 공개 기록부의 봉인값이 됩니다. 소금값이 없으면 아무도 봉인값의 내용을 짐작할 수 없으니, 소금값도 내용만큼 소중히 다뤄 주세요.
logbook-receipt-salt = 소금값
logbook-receipt-computed = 내용과 소금값으로 계산한 값
logbook-receipt-public = 공개 기록부에 있는 값
logbook-receipt-island-good = 맞습니다:
logbook-receipt-island-bad = 맞지 않습니다:
logbook-receipt-download = 내 확인서 내려받기
logbook-receipt-download-text = 이 파일에는 내용과 소금값, 증명이 들어 있습니다. 개인정보가 담겨 있으니 다른 사람에게 주지 마세요.
logbook-receipt-entry = 공개 기록 보기
logbook-receipt-erased = 이 기록의 내용은 약속한 기간이 지나 지워졌습니다. 기록부의 줄만 남아 있으며, 누구에게도 아무것도 알려 주지 않습니다.

# 없는 것을 찾을 때
logbook-entry-unknown = { $size ->
    [0] 아직 기록이 없습니다
   *[other] 그런 기록이 없습니다. 기록은 0번부터 세어 { NUMBER($size) }건입니다
}
logbook-entry-unknown-help = 기록 번호는 공개 기록부의 목록에 있습니다.
logbook-receipt-unknown = 나에 관한 그런 기록이 없습니다
logbook-receipt-unknown-help = 확인서는 기록의 당사자만 열어 볼 수 있습니다.
logbook-sizes-out-of-order = 두 시점을 비교할 수 없습니다. 기록은 { NUMBER($size) }건입니다
logbook-sizes-out-of-order-help = 예전 기록 수는 1 이상이고 나중 기록 수보다 크지 않아야 하며, 나중 기록 수는 지금의 기록 수를 넘을 수 없습니다.
logbook-tile-unknown = 기록부에 그런 파일이 없습니다
logbook-tile-unknown-help = 경로는 C2SP tlog-tiles의 표기를 따라야 하고, 기록부가 거기까지 자라 있어야 합니다.

# 기록의 종류
logbook-kind-code-appeal_answered-v1 = 이의신청에 답했습니다
logbook-kind-code-appealed-v1 = 이의신청이 접수되었습니다
logbook-kind-code-decided-v1 = 색이 결정되었습니다
logbook-kind-code-declared-v1 = 건강 신고가 접수되었습니다
logbook-kind-code-exposed-v1 = 접촉 가능성이 기록되었습니다
logbook-kind-code-order_confirmed-v1 = 두 번째 담당관이 명령을 확인했습니다
logbook-kind-code-order_proposed-v1 = 담당관이 명령을 제안했습니다
logbook-kind-code-order_rejected-v1 = 명령이 받아들여지지 않았습니다
logbook-kind-code-order_withdrawn-v1 = 명령이 철회되었습니다
logbook-kind-code-pass_issued-v1 = 코드가 발급되었습니다
logbook-kind-code-pass_revoked-v1 = 코드가 취소되었습니다
logbook-kind-code-policy_changed-v1 = 색을 정하는 규칙이 정해졌습니다
logbook-kind-code-policy_reviewed-v1 = 규칙이 바뀐 뒤 예전 코드를 다시 살펴보았습니다
logbook-kind-code-revoked-v1 = 취소된 코드가 폐기 목록에 올랐습니다
logbook-kind-code-test_recorded-v1 = 검사 결과가 기록되었습니다
logbook-kind-gate-device_approved-v1 = 출입 확인 기기가 승인되었습니다
logbook-kind-gate-device_refused-v1 = 출입 확인 기기가 거절되었습니다
logbook-kind-gate-device_withdrawn-v1 = 출입 확인 기기의 승인이 취소되었습니다
logbook-kind-gate-enrolment_asked-v1 = 출입 확인 기기의 등록이 요청되었습니다
logbook-kind-gate-entered-v1 = 누군가 시설에 들어갔습니다
logbook-kind-gate-place_closed-v1 = 시설이 문을 닫았습니다
logbook-kind-gate-place_demand_set-v1 = 장소가 다른 증명서의 규칙을 정함
logbook-kind-gate-place_opened-v1 = 시설이 등록되었습니다
logbook-kind-gate-place_renamed-v1 = 시설 이름이 바뀌었습니다
logbook-kind-gate-place_policy_set-v1 = 시설의 출입 기준이 정해졌습니다
logbook-kind-pass-content_kept-v1 = 증명서 내용이 봉인되어 보관됨
logbook-kind-pass-end_set-v1 = 증명서가 끝나는 기준이 정해짐
logbook-kind-pass-erased-v1 = 꺼낸 증명서가 삭제됨
logbook-kind-pass-imported-v1 = 증명서가 지갑에 담김
logbook-kind-pass-material_kept-v1 = 발급 기관 열쇠, 취소 목록 또는 규칙 파일이 봉인되어 보관됨
logbook-kind-pass-removed-v1 = 증명서를 지갑에서 꺼냄
logbook-kind-pass-restored-v1 = 꺼낸 증명서를 되돌림
logbook-kind-pass-rules_confirmed-v1 = 두 번째 직원이 증명서 규칙을 확정함
logbook-kind-pass-rules_proposed-v1 = 직원이 증명서 규칙을 제안함
logbook-kind-pass-rules_rejected-v1 = 증명서 규칙이 거절됨
logbook-kind-pass-rules_return_proposed-v1 = 직원이 이전 증명서 규칙으로 되돌리자고 제안함
logbook-kind-pass-source_confirmed-v1 = 두 번째 직원이 신뢰 출처에 동의함
logbook-kind-pass-source_declined-v1 = 신뢰 출처가 거절됨
logbook-kind-pass-source_offered-v1 = 직원이 신뢰 출처를 제안함
logbook-kind-pass-source_withdrawn-v1 = 신뢰 출처가 종료됨
logbook-kind-pass-warned-v1 = 증명서가 곧 끝난다고 알림
logbook-kind-person-appointed-v1 = 직원이 임명되었습니다
logbook-kind-person-forgotten-v1 = 삭제 요청이 접수되었습니다
logbook-kind-person-help_ended-v1 = 도우미의 권한이 끝났습니다
logbook-kind-person-help_granted-v1 = 도우미에게 권한을 주었습니다
logbook-kind-person-help_offered-v1 = 도우미를 위한 동의 코드를 만들었습니다
logbook-kind-person-locale_chosen-v1 = 안내 언어가 선택되었습니다
logbook-kind-person-name_corrected-v1 = 이름이 바로잡혔습니다
logbook-kind-person-organisation_closed-v1 = 기관이 참여를 마쳤습니다
logbook-kind-person-organisation_opened-v1 = 기관이 등록되었습니다
logbook-kind-person-organisation_renamed-v1 = 기관 이름이 바뀌었습니다
logbook-kind-person-phone_changed-v1 = 전화번호가 바뀌었습니다
logbook-kind-person-phone_confirmed-v1 = 전화번호가 다시 확인되었습니다
logbook-kind-person-registered-v1 = 시민이 등록했습니다
logbook-kind-person-resumed-v1 = 직원의 권한이 다시 살아났습니다
logbook-kind-person-role_ended-v1 = 직원의 역할이 끝났습니다
logbook-kind-person-role_granted-v1 = 직원에게 역할을 주었습니다
logbook-kind-person-suspended-v1 = 직원의 권한이 정지되었습니다
logbook-kind-store-access_closed-v1 = 한 시간 동안의 열람 기록이 봉인되었습니다
logbook-kind-store-expired-v1 = 기한이 지난 하루치 자료가 지워졌습니다
logbook-kind-store-forgotten-v1 = 한 사람의 자료가 지워졌습니다
logbook-kind-store-joined-v1 = 담당관 두 사람이 사건 조사로 방문 기록을 열었습니다
logbook-kind-code-issuer_added-v1 = 서명 열쇠를 목록에 올렸습니다
logbook-kind-code-issuer_cleared-v1 = 거부된 열쇠가 서명한 코드를 모두 끝냈습니다
logbook-kind-code-issuer_compromised-v1 = 서명 열쇠가 그때부터 서명한 것을 거부합니다
logbook-kind-code-issuer_ended-v1 = 서명 열쇠를 끝냈습니다
logbook-kind-code-keys_stated-v1 = 열쇠마다 몇 번 서명했는지 밝혔습니다
logbook-kind-gate-lists_raised-v1 = 출입구 목록이 유효한 시점을 올렸습니다
logbook-kind-store-queue_rotated-v1 = 출입 확인 기기가 기록을 봉인하는 열쇠를 바꿨습니다
logbook-kind-store-wrap_rotated-v1 = 열쇠를 감싸는 열쇠를 바꿨습니다
