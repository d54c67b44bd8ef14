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
