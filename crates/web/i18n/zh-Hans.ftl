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
