# 页面框架与组件的文字，以韩语为准。

# Words of every page
web-name = Haetae
web-skip = 跳到正文
web-languages = 选择语言
web-nav = 主菜单
web-foot = 帮助与公开资料
web-foot-help = 帮助
web-foot-log = 公开记录
web-foot-api = 开发者 API
web-foot-problems = 错误代码说明
web-foot-line = 每一项决定都会写入不可篡改的公开记录，任何人都可以核验。
web-logout = 退出登录
web-banner = 服务公告
web-offline = 网络已断开。已领取的健康码仍可继续使用。
web-size-large = 大号文字
web-theme-dark = 深色模式

# The four colours: always beside their shape
web-colour-green = 通行
web-colour-yellow = 需核查
web-colour-red = 隔离
web-colour-unknown = 未知

# Words of the kit
web-errors = 请检查填写的内容
web-steps = 进度
web-crumbs = 当前位置
web-pager = 列表翻页
web-pager-previous = 上一页
web-pager-next = 下一页

# When something did not go as asked
web-problem-next = 您可以这样做
web-problem-back = 返回
web-problem-code = 咨询时请提供此代码：

# The style guide at /kit
web-kit-title = 界面组件
web-kit-lead = Haetae 的所有页面都由这些组件构成。
web-kit-step-phone = 手机号码
web-kit-step-answers = 健康问题
web-kit-step-code = 我的健康码
web-kit-colours = 四种颜色
web-kit-until = 有效期至 11 月 30 日（周一）09:00
web-kit-reason = 您申报近 14 天内未接触过确诊者。
web-kit-reason-wait = 按现行规则，7 天后将自动解除。
web-kit-reason-missing = 尚未填写体温。这与是否接种疫苗无关。
web-kit-verdicts = 门口核验结果
web-kit-verdict-pass = 请进
web-kit-verdict-pass-reason = 核验通过。
web-kit-verdict-stop = 不可进入
web-kit-verdict-stop-reason = 该健康码已过期。
web-kit-verdict-unsure = 无法判断
web-kit-verdict-unsure-reason = 无法读取健康码，请输入短码。
web-kit-verdict-again = 重新扫描
web-kit-form = 表单
web-kit-name = 姓名
web-kit-name-hint = 请与身份证件保持一致。
web-kit-phone = 手机号码
web-kit-phone-error = 请用数字填写手机号码。
web-kit-arrival = 入境日期
web-kit-note = 其他需要说明的情况（选填）
web-kit-residence = 居住地
web-kit-district-one = 市中心
web-kit-district-two = 滨河区
web-kit-channel = 您希望如何领取健康码？
web-kit-channel-phone = 在本手机上显示
web-kit-channel-paper = 打印在纸上
web-kit-fever = 近 14 天内您是否发过烧？
web-kit-cough = 您是否咳嗽或咽痛？
web-kit-yes = 是
web-kit-no = 否
web-kit-not-known = 不清楚
web-kit-consent = 本人确认以上内容属实。
web-kit-submit = 提交
web-kit-later = 稍后再说
web-kit-notices = 提示
web-kit-notice-good = 已收到您的申报。
web-kit-notice-info = 申报内容将在 28 天后删除。
web-kit-notice-warn = 您的健康码将于明天上午 9 点到期。
web-kit-notice-bad = 短信发送失败，请一分钟后重试。
web-kit-qr = 我的健康码
web-kit-qr-short = 短码
web-kit-lists = 列表与数字
web-kit-entries = 今日进入人次
web-kit-devices = 已登记设备
web-kit-waiting = 待处理
web-kit-place = 地点
web-kit-time = 时间
web-kit-result = 结果
web-kit-library = 市图书馆
web-kit-market = 中央市场东门
web-kit-empty = 目前还没有人查阅过这份记录。
web-kit-page = 第 2 页，共 7 页
web-kit-receipt = 回执
web-kit-more = 这个颜色是如何判定的？
web-kit-home = 首页

# 菜单与页眉
web-nav-home = 首页
web-nav-sign-in = 登录
web-nav-desk = 工作台
web-signed-in = 已登录
web-signed-out = 您已退出登录。
web-acting-for = 您正在代{ $name }办理。

# 首页
web-home-title = 首页
web-home-heading = { $region } Haetae
web-home-lead = 回答几个健康问题，领取健康码，进门时出示即可。
web-home-lead-citizen = 您接下来可以办理以下事项。
web-home-lead-staff = 您负责的事项都在工作台上。
web-home-sign-in = 用手机号码开始
web-home-more = 更多
web-home-passkey = 以后登录无需短信
web-home-passkey-why = 创建通行密钥后，可以用指纹、面容或锁屏密码登录，不必等待短信。
web-home-passkey-button = 创建通行密钥
web-home-colours = 四种颜色
web-home-colours-what = 健康码的颜色总是与形状和文字一起显示。
web-home-promise = 我们的承诺
web-home-promise-reason = 始终告知颜色的原因和截止时间。
web-home-promise-log = 每项决定都记入无法改写的公开日志。
web-home-promise-erase = 出入记录在28天后删除。

# 登录
web-sign-in-title = 登录
web-sign-in-lead = 请输入手机号码，我们会用短信发送验证码。
web-sign-in-phone = 手机号码
web-sign-in-phone-hint = 例如 010-1234-5678。其他国家的号码请以 + 开头。
web-sign-in-send = 获取验证码
web-sign-in-passkey = 用通行密钥登录
web-sign-in-passkey-what = 使用保存在本设备或安全密钥中的通行密钥。
web-sign-in-passkey-button = 使用通行密钥
web-code-title = 输入验证码
web-code-lead = 验证码已发送至 { $phone }，请在5分钟内输入。
web-code-label = 验证码
web-code-hint = 短信中的6位数字，请勿告诉任何人。
web-code-check = 继续
web-code-none = 没有收到短信？
web-code-none-what = 请等待约1分钟，仍未收到时可重新获取。
web-code-again = 重新获取验证码
web-code-other = 使用其他号码
web-code-demo = 演示版不会真正发送短信。
web-otp-message = 【{ $region }】您的验证码是 { $code }，5分钟内有效，请勿告诉任何人。
web-link-title = 一次性登录链接
web-link-lead = 您将以{ $name }的身份登录。此链接只能使用一次。
web-link-lead-nobody = 此链接可让您登录，只能使用一次。
web-link-button = 登录

# 设备与通行密钥
web-sessions-title = 已登录的设备
web-sessions-lead = 如有不认识的设备，请立即将其退出登录。
web-sessions-since = 登录时间
web-sessions-seen = 上次使用
web-sessions-here = 这是您正在使用的设备。
web-sessions-end = 退出此设备
web-sessions-ended = 该设备已退出登录。
web-device-unknown = 未知设备
web-passkeys-title = 通行密钥
web-passkeys-lead = 通行密钥让您用指纹、面容或锁屏密码登录，没有可被窃取的密码。
web-passkeys-required = 开始工作前请先创建通行密钥。
web-passkeys-make = 在本设备上创建通行密钥
web-passkeys-missing = 此浏览器无法创建通行密钥，请允许脚本或换用其他浏览器。
web-passkeys-impossible = 在此网址无法使用通行密钥。
web-passkeys-yours = 我的通行密钥
web-passkeys-empty = 还没有通行密钥。
web-passkeys-made-at = 创建时间
web-passkeys-used-at = 上次使用
web-passkeys-unused = 尚未使用
web-passkeys-remove = 删除此通行密钥
web-passkeys-removed = 通行密钥已删除。

# 工作台
web-desk-title = 工作台
web-desk-lead = 您在{ $region }负责的事项。
web-desk-empty = 您还没有任何角色，请联系管理员。
web-desk-account = 我的账户

# 错误代码说明
web-problems-title = 错误代码
web-problems-lead = 这些代码说明请求未被受理的原因，代码永不改变。
web-problems-code = 代码
web-problems-status = HTTP 状态
web-problems-meaning = 含义
web-problems-all = 查看全部代码
web-problem-detail = 未能完成您的请求。
web-problem-again = 请返回上一页，检查内容后重试。
web-problem-later = 请稍后重试。如仍出现，请告知下方的代码。
web-problem-look = 请检查网址，或从首页查找。
web-problem-sign-in = 请登录后重试。
web-problem-wait = 请在{ NUMBER($seconds) }秒后重试。

web-busy = 当前使用人数较多。
web-busy-help = 尚未保存任何内容。稍后可重新提交，不会重复计算。
web-cross-site = 不接受来自其他网站的请求。
web-cross-site-help = 请直接在本服务的页面上操作。
web-csrf = 页面打开时间过长，未能提交。
web-csrf-help = 请刷新页面后重新提交，并确认浏览器允许使用 Cookie。
web-expired = 已超过时限。
web-expired-help = 请重新开始。
web-fault = 我们这边出现了问题。
web-fault-help = 已记录下来，工作人员会查看。
web-forbidden = 您没有进行此操作的权限。
web-forbidden-help = 您的角色可能已变更或到期，请联系管理员。
web-form-invalid = 无法读取您提交的内容。
web-form-invalid-help = 有缺少的项目，或字符已损坏。
web-json-invalid = 无法读取您提交的 JSON。
web-json-invalid-help = 正文与 API 说明的格式不符。
web-link-used = 链接已使用或已过期。
web-link-used-help = 请申请新的链接，或用其他方式登录。
web-media-type = 不接受此类型的内容。
web-media-type-help = 请使用 API 说明中的 Content-Type。
web-method-not-allowed = 此网址不接受这种请求。
web-method-not-allowed-help = 请在 API 说明中查看可用的方法。
web-not-found = 没有找到该页面。
web-not-found-help = 网址可能已变更，或您无权查看。
web-not-ready = 服务目前无法处理请求。
web-not-ready-help = 工作人员正在处理，请稍后重试。
web-otp-wrong = 验证码错误或已过期。
web-otp-wrong-help = 输错五次后需要重新获取验证码。
web-passkey-failed = 无法验证通行密钥。
web-passkey-failed-help = 请重试，或用其他方式登录。
web-passkey-last = 不能删除最后一个通行密钥。
web-passkey-last-help = 请先创建另一个通行密钥。
web-passkey-required = 需要用通行密钥登录。
web-passkey-required-help = 用通行密钥登录后才能进行此操作。
web-path-invalid = 无法读取此网址。
web-path-invalid-help = 网址的一部分可能被截断了。
web-moving = 服务正在切换到另一台服务器。
web-moving-help = 请过几秒钟重新提交。在同一页面重新提交不会重复计算。
web-paused = 目前无法记录新的内容。
web-paused-help = 查询仍可正常使用。尚未保存任何内容，请稍后重新提交。
web-phone-invalid = 请检查手机号码。
web-phone-invalid-help = 请输入数字；其他国家的号码请以 + 和国家代码开头。
web-sign-in-required = 请先登录。
web-sign-in-required-help = 请登录后重试。
web-timeout = 等待时间过长，已停止。
web-timeout-help = 请稍后重试。
web-unanswered = 无法确定您提交的内容是否已记录。
web-unanswered-help = 重新提交之前，请先查看您的记录。
web-too-large = 提交的内容过大。
web-too-large-help = 最多可接收 1 MiB。
web-too-many = 短时间内请求过多。
web-too-many-help = 请稍候再试。

# 帮助
web-help-title = 帮助
web-help-lead = 常见问题。
web-help-colour = 各种颜色是什么意思？
web-help-colour-answer = ● 通行表示可以进入；▲ 需核查表示随访7天；■ 隔离表示隔离14天；◇ 未知表示还有不清楚的信息，并不表示未接种疫苗。
web-help-wrong = 我觉得颜色不对。
web-help-wrong-answer = 在我的健康码页面可以查看原因并提出申诉，工作人员会在24小时内答复。
web-help-nophone = 我没有手机。
web-help-nophone-answer = 可以使用打印在纸上的健康码。家人征得您的同意后也可以代为申报。
web-help-who = 谁会查看我的记录？
web-help-who-answer = 谁、何时、为何查看都会被记录。登录后即可查看列表。
web-help-erased = 我的信息何时删除？
web-help-erased-answer = 出入记录在28天后自动删除。您也可以随时删除账户。
web-help-else = 我有其他问题。
web-help-else-answer = 请咨询就近的卫生服务中心或市政厅。如页面显示代码，请一并告知。

# 面向开发者
web-api-title = 开发者 API
web-api-lead = 供程序使用的地址。所有拒绝的答复均采用 RFC 9457 格式，并带有永不改变的 code。
web-api-machine = OpenAPI 3.1 文档（JSON）
web-api-empty = 尚未公开任何 API。

# 演示版
web-inbox-title = 演示版收件箱
web-inbox-lead = 这些短信本应发往手机，在演示版中可在此查看。
web-inbox-empty = 还没有发送过短信。

# Rules: what a step of an evaluation said
web-rule-step-var = “{ $path }”的值是{ $value }。
web-rule-step-if = 条件为{ $guard }，因此结果是{ $value }。
web-rule-step-and-yes = 全部成立。
web-rule-step-and-no = 并非全部成立：在{ $value }处停止。
web-rule-step-equal-yes = { $left }等于{ $right }。
web-rule-step-equal-no = { $left }不等于{ $right }。
web-rule-step-in-yes = { $left }在列表（{ $right }）中。
web-rule-step-in-no = { $left }不在列表（{ $right }）中。
web-rule-step-plus = { $left }加{ $right }等于{ $value }。
web-rule-step-greater-yes = { $left }大于{ $right }。
web-rule-step-greater-no = { $left }不大于{ $right }。
web-rule-step-less-yes = { $left }小于{ $right }。
web-rule-step-less-no = { $left }不小于{ $right }。
web-rule-step-after-yes = { $left }晚于{ $right }。
web-rule-step-after-no = { $left }不晚于{ $right }。
web-rule-step-before-yes = { $left }早于{ $right }。
web-rule-step-before-no = { $left }不早于{ $right }。
web-rule-step-chain-yes = { $chain }：成立。
web-rule-step-chain-no = { $chain }：不成立。
web-rule-step-not = { $left }的相反是{ $value }。
web-rule-step-time = { $left }即时刻{ $value }。
web-rule-step-time-plus = { $left }加{ $amount }{ $unit }是{ $value }。
web-rule-step-reduce = 列表汇总的结果是{ $value }。
web-rule-step-extract = 标识符{ $left }的第{ $index }部分是{ $value }。
web-rule-step-birth = 出生日期{ $left }最晚为{ $value }。
web-rule-unit-year = 年
web-rule-unit-month = 个月
web-rule-unit-day = 天
web-rule-unit-hour = 小时
web-rule-nothing = 无
web-rule-true = 真
web-rule-false = 假
web-rule-omitted-array = { $length }项的列表
web-rule-omitted-object = { $length }个字段的记录
web-rule-omitted-string = { $length }字节的文本

# Rules: why an evaluation has no value
web-rule-failed-not-a-boolean = 某个值既非真也非假。
web-rule-failed-not-an-integer = 此处需要整数，但值不是整数。
web-rule-failed-not-an-array = 此处需要列表，但值不是列表。
web-rule-failed-not-a-text = 此处需要文本，但值不是文本。
web-rule-failed-not-a-date-time = 此处需要时刻，但值不是时刻。
web-rule-failed-not-a-date = 该文本无法读作日期。
web-rule-failed-date-out-of-range = 日期超出0000年至9999年。
web-rule-failed-number-out-of-range = 数字过大。
web-rule-failed-not-comparable = 无法判定两个值是否相等。
web-rule-failed-too-many-steps = 规则对这些数据的计算步骤过多。
web-rule-failed-too-deep = 值的嵌套过深。

# Rules: why a rule is refused at import
web-rule-invalid-not-an-expression = 该值不是表达式。
web-rule-invalid-not-an-integer = 此处只能使用整数。
web-rule-invalid-number-out-of-range = 数字过大。
web-rule-invalid-not-one-operator = 此处必须恰好有一个运算符。
web-rule-invalid-malformed-operation = 运算的形式不正确。
web-rule-invalid-unknown-operator = 没有这个运算符。
web-rule-invalid-wrong-operand-count = 操作数的个数不对。
web-rule-invalid-malformed-operand = 该操作数不能取此值。
web-rule-invalid-malformed-path = 读取路径不正确。
web-rule-invalid-too-deep = 嵌套过深。
web-rule-invalid-too-large = 过大。
web-rule-invalid-malformed-field = 字段的值不符合要求。
web-rule-invalid-unknown-field = 没有人会读取该字段。
web-rule-invalid-duplicate-code = 上方已有相同代码的规则。
web-rule-invalid-missing-field = 缺少字段。
web-rule-invalid-engine-too-old = 规则需要更新的引擎。
web-rule-invalid-not-read = 列出了规则不读取的字段。
web-rule-invalid-not-listed = 规则读取了未列出的字段。
