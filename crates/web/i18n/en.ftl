# Texts of the layout and the kit. Korean is the source.

# Words of every page
web-name = Haetae
web-skip = Skip to main content
web-languages = Language
web-nav = Main menu
web-foot = Help and public records
web-foot-help = Help
web-foot-log = Public log
web-foot-api = API for developers
web-foot-problems = What error codes mean
web-foot-line = Every decision is kept on a public log that cannot be rewritten. Anyone can check it.
web-logout = Sign out
web-banner = Service announcement
web-offline = You are offline. A code you already have still works.
web-size-large = Large print
web-theme-dark = Dark screen

# The four colours: always beside their shape
web-colour-green = Clear
web-colour-yellow = Check
web-colour-red = Isolate
web-colour-unknown = Unknown

# Words of the kit
web-errors = Please check what you entered
web-steps = Progress
web-crumbs = You are here
web-pager = Pages of the list
web-pager-previous = Previous
web-pager-next = Next

# When something did not go as asked
web-problem-next = What you can do
web-problem-back = Go back
web-problem-code = If you contact us, please quote this code:

# The style guide at /kit
web-kit-title = Page components
web-kit-lead = Every page of Haetae is made of these pieces.
web-kit-step-phone = Phone number
web-kit-step-answers = Health questions
web-kit-step-code = Your code
web-kit-colours = The four colours
web-kit-until = Until Monday 30 November, 09:00
web-kit-reason = You answered that you had no contact with a confirmed case in the last 14 days.
web-kit-reason-wait = Under the present rules this ends by itself in 7 days.
web-kit-reason-missing = Your temperature is missing. This says nothing about vaccination.
web-kit-verdicts = Verdicts at the gate
web-kit-verdict-pass = Go in
web-kit-verdict-pass-reason = Verified.
web-kit-verdict-stop = No entry
web-kit-verdict-stop-reason = This code has expired.
web-kit-verdict-unsure = Cannot tell
web-kit-verdict-unsure-reason = The code could not be read. Please type the short code.
web-kit-verdict-again = Scan again
web-kit-form = A form
web-kit-name = Full name
web-kit-name-hint = As written on your identity document.
web-kit-phone = Mobile phone number
web-kit-phone-error = Enter your mobile phone number in digits.
web-kit-arrival = Date of arrival
web-kit-note = Anything else we should know (optional)
web-kit-residence = Where you live
web-kit-district-one = City centre
web-kit-district-two = Riverside
web-kit-channel = How would you like to receive your code?
web-kit-channel-phone = On this phone
web-kit-channel-paper = Printed on paper
web-kit-fever = Have you had a fever in the last 14 days?
web-kit-cough = Do you have a cough or a sore throat?
web-kit-yes = Yes
web-kit-no = No
web-kit-not-known = Not sure
web-kit-consent = I confirm that these answers are true.
web-kit-submit = Submit
web-kit-later = Do this later
web-kit-notices = Notices
web-kit-notice-good = We have received your declaration.
web-kit-notice-info = Your answers are erased after 28 days.
web-kit-notice-warn = Your code expires tomorrow at 9 am.
web-kit-notice-bad = The message could not be sent. Please try again in one minute.
web-kit-qr = Your code
web-kit-qr-short = Short code
web-kit-lists = Lists and numbers
web-kit-entries = Entries today
web-kit-devices = Enrolled devices
web-kit-waiting = Waiting
web-kit-place = Place
web-kit-time = Time
web-kit-result = Result
web-kit-library = City library
web-kit-market = Central market, east gate
web-kit-empty = Nobody has read this record yet.
web-kit-page = Page 2 of 7
web-kit-receipt = Receipt
web-kit-more = How was this colour decided?
web-kit-home = Home

# Menu and header
web-nav-home = Home
web-nav-sign-in = Sign in
web-nav-desk = Desk
web-signed-in = Signed in
web-signed-out = You have signed out.
web-acting-for = You are now acting for { $name }.

# First page
web-home-title = Home
web-home-heading = Haetae, { $region }
web-home-lead = Answer a few health questions, receive your health code, and show it at the door.
web-home-lead-citizen = Here is what you can do next.
web-home-lead-staff = Your tasks are on your desk.
web-home-sign-in = Start with your mobile number
web-home-more = More
web-home-passkey = Sign in without text messages
web-home-passkey-why = With a passkey you sign in by fingerprint, face or screen lock. There is no message to wait for.
web-home-passkey-button = Create a passkey
web-home-colours = The four colours
web-home-colours-what = A health code’s colour always comes with its shape and its word.
web-home-promise = What Haetae promises
web-home-promise-reason = You are always told why you have a colour and when it ends.
web-home-promise-log = Every decision is kept on a public log that cannot be rewritten.
web-home-promise-erase = Records of entries are erased after 28 days.

# Sign in
web-sign-in-title = Sign in
web-sign-in-lead = Enter your mobile number and we will text you a code.
web-sign-in-phone = Mobile number
web-sign-in-phone-hint = For example 010-1234-5678. Numbers from other countries begin with +.
web-sign-in-send = Send me a code
web-sign-in-passkey = Sign in with a passkey
web-sign-in-passkey-what = Use a passkey on this device or on a security key.
web-sign-in-passkey-button = Use a passkey
web-code-title = Enter your code
web-code-lead = We have sent a code to { $phone }. Please enter it within 5 minutes.
web-code-label = Code
web-code-hint = The 6 digits in the message. Do not tell them to anybody.
web-code-check = Continue
web-code-none = No message?
web-code-none-what = Please wait about a minute. If nothing arrives, ask for another code.
web-code-again = Send another code
web-code-other = Use another number
web-code-demo = In the demo no real messages are sent.
web-otp-message = [{ $region }] Your code is { $code }. It is good for 5 minutes. Do not tell it to anybody.
web-link-title = One-time sign-in link
web-link-lead = This signs you in as { $name }. The link works once.
web-link-lead-nobody = This link signs you in. It works once.
web-link-button = Sign in

# Devices and passkeys
web-sessions-title = Where you are signed in
web-sessions-lead = If you do not recognise a device, sign it out now.
web-sessions-since = Signed in
web-sessions-seen = Last used
web-sessions-here = This is the device you are using.
web-sessions-end = Sign this device out
web-sessions-ended = That device has been signed out.
web-device-unknown = Unknown device
web-passkeys-title = Passkeys
web-passkeys-lead = A passkey lets you sign in by fingerprint, face or screen lock. There is no password that could be stolen.
web-passkeys-required = Please create a passkey before you start work.
web-passkeys-make = Create a passkey on this device
web-passkeys-missing = This browser cannot create passkeys. Please allow scripts or use another browser.
web-passkeys-impossible = Passkeys cannot be used at this address.
web-passkeys-yours = Your passkeys
web-passkeys-empty = You have no passkeys yet.
web-passkeys-made-at = Created
web-passkeys-used-at = Last used
web-passkeys-unused = Not used yet
web-passkeys-remove = Remove this passkey
web-passkeys-removed = The passkey has been removed.

# The desk
web-desk-title = Desk
web-desk-lead = Your tasks in { $region }.
web-desk-empty = You have no role yet. Please ask an administrator.
web-desk-account = Your account

# Codes of problems
web-problems-title = Error codes
web-problems-lead = These codes say why a request was not granted. They never change.
web-problems-code = Code
web-problems-status = HTTP status
web-problems-meaning = Meaning
web-problems-all = See all codes
web-problem-detail = We could not do what you asked.
web-problem-again = Go back, check what you entered and try again.
web-problem-later = Please try again in a moment. If it keeps happening, tell us the code below.
web-problem-look = Check the address, or start from the home page.
web-problem-sign-in = Please sign in and try again.
web-problem-wait = { $seconds ->
    [one] Please try again in one second.
   *[other] Please try again in { NUMBER($seconds) } seconds.
}

web-busy = Many people are using the service right now.
web-busy-help = Nothing was saved. You can send it again in a moment; it will not be counted twice.
web-cross-site = Requests from other sites are not accepted.
web-cross-site-help = Please use the buttons on Haetae’s own pages.
web-csrf = This page was open for too long to be sent.
web-csrf-help = Reload the page and send it again. Please also check that your browser allows cookies.
web-expired = The time is up.
web-expired-help = Please start again.
web-fault = Something went wrong on our side.
web-fault-help = It has been recorded so that our staff can look into it.
web-forbidden = You do not have permission to do this.
web-forbidden-help = Your role may have changed or ended. Please ask an administrator.
web-form-invalid = We could not read what you sent.
web-form-invalid-help = A field is missing, or some characters are broken.
web-json-invalid = We could not read the JSON you sent.
web-json-invalid-help = The body differs from what the API description asks for.
web-link-used = This link has been used or has expired.
web-link-used-help = Ask for a new link, or sign in another way.
web-media-type = This kind of content is not accepted.
web-media-type-help = Please use the Content-Type given in the API description.
web-method-not-allowed = This address does not accept that kind of request.
web-method-not-allowed-help = The API description lists what can be done here.
web-not-found = There is no such page.
web-not-found-help = The address may have changed, or you may not be allowed to see it.
web-not-ready = The service cannot take requests right now.
web-not-ready-help = It is being looked after. Please try again in a moment.
web-otp-wrong = The code is wrong or has expired.
web-otp-wrong-help = After five wrong tries you need a new code.
web-passkey-failed = The passkey could not be checked.
web-passkey-failed-help = Please try again, or sign in another way.
web-passkey-last = Your last passkey cannot be removed.
web-passkey-last-help = Please create another passkey first.
web-passkey-required = You need to sign in with a passkey.
web-passkey-required-help = This can only be done after signing in with a passkey.
web-path-invalid = We could not read this address.
web-path-invalid-help = Part of the address may have been cut off.
web-moving = The service is just moving to another server.
web-moving-help = Please send it again in a few seconds. Sent again from the same page, it is not counted twice.
web-paused = Nothing new can be recorded right now.
web-paused-help = Looking things up still works. Nothing was saved; please send it again in a moment.
web-phone-invalid = Please check your mobile number.
web-phone-invalid-help = Use digits; numbers from other countries begin with + and the country code.
web-sign-in-required = Please sign in.
web-sign-in-required-help = Sign in, then try again.
web-timeout = The answer took too long, so we stopped.
web-timeout-help = Please try again in a moment.
web-unanswered = We cannot tell whether what you sent was recorded.
web-unanswered-help = Please look at your records before you send it again.
web-too-large = What you sent is too large.
web-too-large-help = Up to 1 MiB is accepted.
web-too-many = That was too many requests in a short time.
web-too-many-help = Please wait a little and try again.

# Help
web-help-title = Help
web-help-lead = Questions that people often ask.
web-help-colour = What do the colours mean?
web-help-colour-answer = ● Clear means you may enter. ▲ Check means you are followed up for 7 days. ■ Isolate means isolation for 14 days. ◇ Unknown means something is not known yet; it does not mean that you are not vaccinated.
web-help-wrong = I think my colour is wrong.
web-help-wrong-answer = The page with your code shows the reasons and lets you appeal. An officer answers within 24 hours.
web-help-nophone = I have no mobile phone.
web-help-nophone-answer = You can use a code printed on paper. A relative can also declare for you with your consent.
web-help-who = Who looks at my record?
web-help-who-answer = We record who looked, when and why. Sign in to see the list.
web-help-erased = When are my data erased?
web-help-erased-answer = Records of entries are erased by themselves after 28 days. You can delete your account at any time.
web-help-else = I have another question.
web-help-else-answer = Please ask your local health centre or the city hall. If a page shows a code, please quote it.

# For developers
web-api-title = API for developers
web-api-lead = Addresses for programs. Every answer that says no follows RFC 9457 and carries a code that never changes.
web-api-machine = OpenAPI 3.1 document (JSON)
web-api-empty = No API is published yet.

# The demo
web-inbox-title = Demo inbox
web-inbox-lead = Messages that would go to mobile phones. In the demo you can read them here.
web-inbox-empty = No message has been sent yet.

# Rules: what a step of an evaluation said
web-rule-step-var = “{ $path }” is { $value }.
web-rule-step-if = The condition is { $guard }, so the result is { $value }.
web-rule-step-and-yes = All of it holds.
web-rule-step-and-no = Not all of it holds: it ended at { $value }.
web-rule-step-equal-yes = { $left } equals { $right }.
web-rule-step-equal-no = { $left } does not equal { $right }.
web-rule-step-in-yes = { $left } is in { $right }.
web-rule-step-in-no = { $left } is not in { $right }.
web-rule-step-plus = { $left } plus { $right } is { $value }.
web-rule-step-greater-yes = { $left } is greater than { $right }.
web-rule-step-greater-no = { $left } is at most { $right }.
web-rule-step-less-yes = { $left } is less than { $right }.
web-rule-step-less-no = { $left } is at least { $right }.
web-rule-step-after-yes = { $left } is later than { $right }.
web-rule-step-after-no = { $left } is not later than { $right }.
web-rule-step-before-yes = { $left } is earlier than { $right }.
web-rule-step-before-no = { $left } is not earlier than { $right }.
web-rule-step-chain-yes = { $chain }: this holds.
web-rule-step-chain-no = { $chain }: this does not hold.
web-rule-step-not = The opposite of { $left } is { $value }.
web-rule-step-time = { $left } is the moment { $value }.
web-rule-step-time-plus = { $left } plus { $amount } { $unit } is { $value }.
web-rule-step-reduce = The list comes together as { $value }.
web-rule-step-extract = Part { $index } of the identifier { $left } is { $value }.
web-rule-step-birth = The date of birth { $left } is { $value } at the latest.
web-rule-unit-year = years
web-rule-unit-month = months
web-rule-unit-day = days
web-rule-unit-hour = hours
web-rule-nothing = nothing
web-rule-true = true
web-rule-false = false
web-rule-omitted-array = a list of { $length }
web-rule-omitted-object = a record of { $length } fields
web-rule-omitted-string = a text of { $length } bytes

# Rules: why an evaluation has no value
web-rule-failed-not-a-boolean = A value is neither true nor false.
web-rule-failed-not-an-integer = A whole number is needed here, and the value is none.
web-rule-failed-not-an-array = A list is needed here, and the value is none.
web-rule-failed-not-a-text = A text is needed here, and the value is none.
web-rule-failed-not-a-date-time = A moment is needed here, and the value is none.
web-rule-failed-not-a-date = The text cannot be read as a date.
web-rule-failed-date-out-of-range = The date lies outside the years 0000 to 9999.
web-rule-failed-number-out-of-range = The number is too large.
web-rule-failed-not-comparable = Whether the two values are equal is not defined.
web-rule-failed-too-many-steps = The rule takes too many steps on these data.
web-rule-failed-too-deep = The value is nested too deep.

# Rules: why a rule is refused at import
web-rule-invalid-not-an-expression = This value is no expression.
web-rule-invalid-not-an-integer = Only whole numbers are allowed here.
web-rule-invalid-number-out-of-range = The number is too large.
web-rule-invalid-not-one-operator = There must be exactly one operator here.
web-rule-invalid-malformed-operation = The operation is not of the form that its operator asks for.
web-rule-invalid-unknown-operator = There is no such operator.
web-rule-invalid-wrong-operand-count = The number of operands is wrong.
web-rule-invalid-malformed-operand = The operand cannot have this value.
web-rule-invalid-malformed-path = The path to read from is malformed.
web-rule-invalid-too-deep = It is nested too deep.
web-rule-invalid-too-large = It is too large.
web-rule-invalid-malformed-field = The field has not the form that it must have.
web-rule-invalid-unknown-field = Nobody would read this field.
web-rule-invalid-duplicate-code = A rule above has the same code.
web-rule-invalid-missing-field = A field is missing.
web-rule-invalid-engine-too-old = The rule asks for a newer engine.
web-rule-invalid-not-read = A field is listed that the rule does not read.
web-rule-invalid-not-listed = The rule reads a field that is not listed.
