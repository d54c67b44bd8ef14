# 公开日志的文字。以韩文为准。

# 日志
logbook-log-title = 公开日志
logbook-log-lead = 本市的每一项记录都会在这里留下一行。行只能增加，不能修改或删除，任何人都可以核实这一点。这里没有姓名，也没有健康信息。
logbook-check-link = 亲自核实
logbook-receipts-link = 查看关于我的记录
logbook-tile-entries = 全部条目
logbook-tile-today = 今日条目
logbook-head-title = 已签名的日志头
logbook-signed-at = 签名时间：{ $at }。
logbook-head-text = 这一个值代表至今的全部条目。记下它，以后哪怕只改动了一行，您也能证明。
logbook-head-whole = 完整检查点
logbook-newest-title = 最新条目
logbook-log-empty = 目前还没有记录。本市的第一项决定将成为第一个条目。
logbook-column-index = 编号
logbook-column-at = 时间
logbook-column-kind = 内容
logbook-days-title = 每日条目数
logbook-kinds-title = 最新 { NUMBER($count) } 条的种类

# 查找
logbook-search-title = 查找条目
logbook-search-label = 查找条目
logbook-search-hint = 可输入编号、哈希值或承诺值。
logbook-search-button = 查找
logbook-search-invalid = 请输入编号，或 64 位十六进制、44 位 base64 的哈希值。
logbook-search-nowhere = 日志中没有这样的条目。
logbook-search-not-since = 编号 { NUMBER($index) } 及以后的条目中没有找到，更早的条目尚未查找。
logbook-search-further = 查找更早的条目

# 单个条目
logbook-entry-title = 条目 { NUMBER($index) }
logbook-fact-at = 记录时间
logbook-fact-kind = 种类
logbook-fact-region = 地区
logbook-fact-hash = 条目的哈希值
logbook-entry-holds-title = 条目的内容
logbook-entry-public = 这是公开记录，全文如下。
logbook-entry-commit = 记录本身不公开，这里只有一个承诺值：它只与唯一一份记录相符，却不透露其内容。当事人可以证明二者相符；记录删除后，留下的承诺值不再透露任何信息。
logbook-entry-line = 计算哈希时的条目原文
logbook-entry-way-title = 通往已签名根值的路径
logbook-entry-way = { $steps ->
    [0] 这是日志中唯一的条目，它的哈希值就是根值。
   *[other] 本条目与相邻值一起计算 { NUMBER($steps) } 次哈希，即得到全部 { NUMBER($size) } 个条目的根值。如果条目被改动，得到的根值就会不同。
}
logbook-entry-way-picture = 从最下方的条目到最上方根值的路径
logbook-entry-way-caption = 最下方是本条目的哈希值。实线框为计算所得，虚线框为凭证中的相邻值。最上方是已签名的根值。
logbook-entry-way-list = 全部相邻值
logbook-entry-check = 核实本条目
logbook-entry-receipt = 下载凭证
logbook-entry-receipt-text = 凭证包含本条目、相邻值和已签名的检查点。多年以后不依靠我们也能核实，其中没有个人信息。

# 亲自核实
logbook-check-title = 亲自核实
logbook-check-lead = 您不必相信我们。请选择一个条目，跟随计算，直到日志签名的根值。
logbook-check-entry-label = 条目编号
logbook-check-button = 显示计算过程
logbook-check-entry-unknown = { $size ->
    [0] 日志中还没有条目。
   *[other] 请输入小于 { NUMBER($size) } 的编号，条目从 0 开始编号。
}
logbook-check-worked-title = 条目 { NUMBER($index) } 的计算过程
logbook-check-worked-text = 所有哈希均为 SHA-256。条目前加一个 0 字节；每一步在左值和右值之前加一个 1 字节。
logbook-check-holds = 计算结果与根值一致。该条目在日志中，未被改动。
logbook-check-fails = 计算结果与根值不一致。请保存本页并告知审计人员。
logbook-island-title = 在您自己的浏览器中核实
logbook-island-text = 由您的设备完成同样的计算：取得条目、相邻值和检查点，从头重新计算。
logbook-island-button = 在此计算
logbook-island-working = 正在计算…
logbook-island-entry = 条目
logbook-island-leaf = 条目的哈希值
logbook-island-step-left = 与左侧相邻值一起
logbook-island-step-right = 与右侧相邻值一起
logbook-island-root = 检查点中的根值
logbook-island-signature-good = 检查点的签名有效。
logbook-island-signature-bad = 检查点的签名无效。
logbook-island-signature-unable = 此浏览器无法核实签名，其余部分均已计算。
logbook-island-good = 一致：该条目在日志中，未被改动。
logbook-island-bad = 不一致。请保存本页并告知审计人员。
logbook-island-failed = 无法完成计算。
logbook-check-hand-title = 在终端中手工核实
logbook-check-hand-text = 每一行都应输出上面计算过程中的值。
logbook-check-all-title = 用我们的程序核实整个日志
logbook-check-all-text = 程序取得全部条目，重新计算整棵树，与图块和已签名的根值比较，并指出第一个有误的条目。它在您的电脑上运行，除公开文件外不需要我们提供任何东西。
logbook-check-all-since = 之后可从您保存的检查点继续：确认日志只增不改，并且只下载新增的部分。
logbook-check-go-title = 用他人的程序核实
logbook-check-go-text = 日志遵循公开的 C2SP 规范（tlog-tiles、tlog-checkpoint、signed-note、tlog-proof）。这个简短的程序使用 Go 项目自己的库核实凭证。请将它与条目的凭证一起下载：
logbook-check-kept-title = 与您保存的检查点比较
logbook-check-kept-text = 上个月记下根值的人，今天就能看出日志此后是否只增不改。
logbook-check-kept-link = 与我的检查点比较
logbook-check-key-title = 本日志的公钥
logbook-check-key-text = 签名用此公钥核实。请与其他来源（如市政厅公告或报纸）上的公钥比较：伪造的页面可能显示伪造的公钥。

# 比较
logbook-consistency-title = 比较日志的两个时点
logbook-consistency-lead = 请输入您以前记下的条目数和根值，即可看到日志此后是否只增不改。
logbook-consistency-old = 较早的条目数
logbook-consistency-old-hint = 您保存的检查点的第二行。
logbook-consistency-old-invalid = { $size ->
    [0] 日志中还没有条目，无从比较。
   *[other] 请输入 1 至 { NUMBER($size) } 之间、且不大于较晚条目数的整数。
}
logbook-consistency-root = 较早的根值（可不填）
logbook-consistency-root-hint = 您保存的检查点的第三行。
logbook-consistency-root-invalid = 请输入 44 位 base64 或 64 位十六进制的根值。
logbook-consistency-new = 较晚的条目数（可不填）
logbook-consistency-new-hint = 不填则与现在的日志（{ $size } 条）比较。
logbook-consistency-new-invalid = 请输入不大于 { NUMBER($size) } 的整数。
logbook-consistency-button = 比较
logbook-consistency-good = { NUMBER($new) } 条的日志正是以您记下根值的那 { NUMBER($old) } 条开头的，没有任何改动。
logbook-consistency-grew = { NUMBER($new) } 条的日志以下面所示根值的 { NUMBER($old) } 条日志开头。请将该根值与您记下的比较。
logbook-consistency-other-root = 您输入的根值不是本日志 { NUMBER($old) } 条时的根值。如果抄写无误，说明日志的过去被改动了：请保存您的检查点，并出示给审计人员或媒体。
logbook-consistency-broken = { NUMBER($new) } 条的日志没有接续 { NUMBER($old) } 条的日志。请保存本页并告知审计人员。
logbook-consistency-root-at = { NUMBER($size) } 个条目的根值
logbook-consistency-path = 证明值
logbook-consistency-path-empty = 两个时点相同，不需要更多的值。

# 我的记录
logbook-account = 我的账户
logbook-receipts-title = 日志中我的记录
logbook-receipts-lead = 这些条目与您有关，只有您能打开。重要的记录请保存凭证：凭它可以向任何人、包括向本市，证明当时记录了什么。
logbook-receipts-empty = 日志中还没有关于您的记录。
logbook-receipts-count = { NUMBER($count) } 条记录
logbook-receipt-payload-title = 记录的内容
logbook-receipt-bound-title = 如何与公开条目对应
logbook-receipt-bound-text = 记录与一个随机盐值一起计算哈希，即得到公开日志中的承诺值。没有盐值，谁也猜不出承诺值代表什么，因此请像保管记录一样保管盐值。
logbook-receipt-salt = 盐值
logbook-receipt-computed = 由记录和盐值算出
logbook-receipt-public = 公开日志中的值
logbook-receipt-island-good = 一致：
logbook-receipt-island-bad = 不一致：
logbook-receipt-download = 下载我的凭证
logbook-receipt-download-text = 文件包含记录、盐值和证明。其中有个人信息，请自行妥善保管。
logbook-receipt-entry = 公开条目
logbook-receipt-erased = 此记录的内容已按承诺到期删除。日志中只剩下条目，不再透露任何信息。

# 找不到时
logbook-entry-unknown = { $size ->
    [0] 日志中还没有条目
   *[other] 没有这个条目：日志共有 { NUMBER($size) } 条，从 0 开始编号
}
logbook-entry-unknown-help = 条目编号列在公开日志的列表中。
logbook-receipt-unknown = 没有关于您的这条记录
logbook-receipt-unknown-help = 只有记录的当事人才能打开凭证。
logbook-sizes-out-of-order = 这两个时点无法比较：日志共有 { NUMBER($size) } 条
logbook-sizes-out-of-order-help = 较早的条目数至少为 1，且不大于较晚的条目数；较晚的条目数不能超过日志现有的条目数。
logbook-tile-unknown = 日志中没有这个文件
logbook-tile-unknown-help = 路径须符合 C2SP tlog-tiles 的写法，且日志须已增长到该处。

# 条目的种类
logbook-kind-code-appeal_answered-v1 = 申诉已得到答复
logbook-kind-code-appealed-v1 = 有人提出申诉
logbook-kind-code-decided-v1 = 判定了颜色
logbook-kind-code-declared-v1 = 提交了健康申报
logbook-kind-code-exposed-v1 = 记录了可能的接触
logbook-kind-code-order_confirmed-v1 = 第二名官员确认了命令
logbook-kind-code-order_proposed-v1 = 一名官员提出了命令
logbook-kind-code-order_rejected-v1 = 命令未获通过
logbook-kind-code-order_withdrawn-v1 = 命令已撤回
logbook-kind-code-pass_issued-v1 = 签发了通行码
logbook-kind-code-pass_revoked-v1 = 撤销了通行码
logbook-kind-code-policy_changed-v1 = 设定了颜色规则
logbook-kind-code-policy_reviewed-v1 = 规则变更后重新核对了先前的码
logbook-kind-code-revoked-v1 = 被撤销的通行码列入公开名单
logbook-kind-code-test_recorded-v1 = 记录了检测结果
logbook-kind-gate-device_approved-v1 = 批准了查验设备
logbook-kind-gate-device_refused-v1 = 拒绝了查验设备
logbook-kind-gate-device_withdrawn-v1 = 撤回了查验设备的批准
logbook-kind-gate-enrolment_asked-v1 = 有查验设备申请登记
logbook-kind-gate-entered-v1 = 有人进入了场所
logbook-kind-gate-place_closed-v1 = 场所已关闭
logbook-kind-gate-place_demand_set-v1 = 场所设定了对其他证明的要求
logbook-kind-gate-place_opened-v1 = 登记了场所
logbook-kind-gate-place_renamed-v1 = 场所更名
logbook-kind-gate-place_policy_set-v1 = 设定了场所的通行标准
logbook-kind-pass-content_kept-v1 = 证明内容已密封保存
logbook-kind-pass-end_set-v1 = 已设定证明的到期依据
logbook-kind-pass-erased-v1 = 取出的证明已被清除
logbook-kind-pass-imported-v1 = 证明被放入证件夹
logbook-kind-pass-material_kept-v1 = 签发方密钥、撤销列表或规则文件已密封保存
logbook-kind-pass-removed-v1 = 证明被取出证件夹
logbook-kind-pass-restored-v1 = 取出的证明被放回
logbook-kind-pass-rules_confirmed-v1 = 第二名工作人员确认了证明规则
logbook-kind-pass-rules_proposed-v1 = 工作人员提出了证明规则
logbook-kind-pass-rules_rejected-v1 = 证明规则被拒绝
logbook-kind-pass-rules_return_proposed-v1 = 工作人员提出恢复以前的证明规则
logbook-kind-pass-source_confirmed-v1 = 第二名工作人员同意了信任来源
logbook-kind-pass-source_declined-v1 = 信任来源被拒绝
logbook-kind-pass-source_offered-v1 = 工作人员提出了信任来源
logbook-kind-pass-source_withdrawn-v1 = 信任来源已终止
logbook-kind-pass-warned-v1 = 已提醒某人证明即将到期
logbook-kind-person-appointed-v1 = 任命了工作人员
logbook-kind-person-forgotten-v1 = 有人申请删除资料
logbook-kind-person-help_ended-v1 = 协助者的权限已结束
logbook-kind-person-help_granted-v1 = 授予了协助者权限
logbook-kind-person-help_offered-v1 = 为协助者生成了同意码
logbook-kind-person-locale_chosen-v1 = 选择了通知语言
logbook-kind-person-name_corrected-v1 = 更正了姓名
logbook-kind-person-organisation_closed-v1 = 机构已退出
logbook-kind-person-organisation_opened-v1 = 登记了机构
logbook-kind-person-organisation_renamed-v1 = 机构更名
logbook-kind-person-phone_changed-v1 = 更换了电话号码
logbook-kind-person-phone_confirmed-v1 = 再次确认了电话号码
logbook-kind-person-registered-v1 = 有市民注册
logbook-kind-person-resumed-v1 = 恢复了工作人员的权限
logbook-kind-person-role_ended-v1 = 工作人员的职责已结束
logbook-kind-person-role_granted-v1 = 授予了工作人员职责
logbook-kind-person-suspended-v1 = 暂停了工作人员的权限
logbook-kind-store-access_closed-v1 = 封存了一小时的查阅记录
logbook-kind-store-expired-v1 = 到期的一日资料已删除
logbook-kind-store-forgotten-v1 = 一个人的资料已删除
logbook-kind-store-joined-v1 = 两名官员因案件调查调取了到访记录
logbook-kind-code-issuer_added-v1 = 签名密钥已列入名单
logbook-kind-code-issuer_cleared-v1 = 被拒绝的密钥所签的健康码已全部终止
logbook-kind-code-issuer_compromised-v1 = 自该时起签名密钥所签内容被拒绝
logbook-kind-code-issuer_ended-v1 = 签名密钥已终止
logbook-kind-code-keys_stated-v1 = 已公布各密钥的签名次数
logbook-kind-gate-lists_raised-v1 = 门口名单开始有效的时间已推后
logbook-kind-store-queue_rotated-v1 = 查验设备用来封存记录的密钥已更换
logbook-kind-store-wrap_rotated-v1 = 包裹密钥的密钥已更换
