# Texts of the public log. Korean is the source.

# The log
logbook-log-title = Public log
logbook-log-lead = Everything the city records leaves a line here. Lines can be added, never changed or taken away, and anyone can check that. No names stand here and no health data.
logbook-check-link = Check it yourself
logbook-receipts-link = What stands here about me
logbook-tile-entries = Entries
logbook-tile-today = Entries today
logbook-head-title = The signed head of the log
logbook-signed-at = Signed { $at }.
logbook-head-text = This one value stands for every entry so far. Keep it, and you can prove later if a single one was changed.
logbook-head-whole = The whole checkpoint
logbook-newest-title = Newest entries
logbook-log-empty = Nothing has been recorded yet. The first decision of the city will be the first entry.
logbook-column-index = Number
logbook-column-at = When
logbook-column-kind = What
logbook-days-title = Entries a day
logbook-kinds-title = Kinds among the newest { NUMBER($count) } entries

# Search
logbook-search-title = Search the log
logbook-search-label = Find an entry
logbook-search-hint = Its number, its hash, or its commitment.
logbook-search-button = Find
logbook-search-invalid = Enter a number, or a hash in hexadecimal (64 characters) or base64 (44 characters).
logbook-search-nowhere = There is no such entry on the log.
logbook-search-not-since = Not found among the entries from number { NUMBER($index) } on. Older ones have not been searched yet.
logbook-search-further = Search older entries

# One entry
logbook-entry-title = Entry { NUMBER($index) }
logbook-fact-at = Recorded
logbook-fact-kind = Kind
logbook-fact-region = Region
logbook-fact-hash = Hash of the entry
logbook-entry-holds-title = What this entry holds
logbook-entry-public = This record is public. It stands here in full.
logbook-entry-commit = The record itself is not public. Only a commitment stands here: a fingerprint that fits exactly one record and tells nothing about it. Whoever the record is about can show that it fits; when the record is erased, the fingerprint remains and tells nobody anything.
logbook-entry-line = The entry, exactly as it was hashed
logbook-entry-way-title = The way to the signed root
logbook-entry-way = { $steps ->
    [0] This is the only entry of the log, so its hash is the root.
    [one] Hashed once together with its neighbour, this entry gives the root over all { NUMBER($size) } entries.
   *[other] Hashed { NUMBER($steps) } times, each time together with a neighbour, this entry gives the root over all { NUMBER($size) } entries. Had the entry been changed, another root would come out.
}
logbook-entry-way-picture = The path from the entry at the bottom to the root at the top
logbook-entry-way-caption = Bottom: this entry's hash. Solid boxes are computed, dashed ones are the neighbours that the receipt contains. Top: the signed root.
logbook-entry-way-list = The neighbours in full
logbook-entry-check = Check this entry
logbook-entry-receipt = Download the receipt
logbook-entry-receipt-text = The receipt contains the entry, the neighbours and the signed checkpoint. It can be checked without us, years from now, and holds no personal data.

# Check it yourself
logbook-check-title = Check it yourself
logbook-check-lead = You do not have to believe us. Choose an entry and follow the calculation from it to the root that the log has signed.
logbook-check-entry-label = Number of the entry
logbook-check-button = Show the calculation
logbook-check-entry-unknown = { $size ->
    [0] The log has no entries yet.
   *[other] Enter a whole number below { NUMBER($size) }: the log has that many entries, counted from 0.
}
logbook-check-worked-title = The calculation for entry { NUMBER($index) }
logbook-check-worked-text = Every hash is SHA-256. The leaf is hashed after a zero byte; each step hashes a one byte, the left value and the right value.
logbook-check-holds = The calculation ends at the root. The entry is on the log, unchanged.
logbook-check-fails = The calculation does not end at the root. Please save this page and tell an auditor.
logbook-island-title = In your own browser
logbook-island-text = The same calculation, done by your device: it fetches the entry, the neighbours and the checkpoint and computes everything anew.
logbook-island-button = Calculate here
logbook-island-working = Calculating …
logbook-island-entry = The entry
logbook-island-leaf = Its hash
logbook-island-step-left = With the neighbour on the left
logbook-island-step-right = With the neighbour on the right
logbook-island-root = The root in the checkpoint
logbook-island-signature-good = The log's signature on the checkpoint is good.
logbook-island-signature-bad = The log's signature on the checkpoint is not good.
logbook-island-signature-unable = This browser cannot check the signature. Everything else was calculated.
logbook-island-good = It fits: the entry is on the log, unchanged.
logbook-island-bad = It does not fit. Please save this page and tell an auditor.
logbook-island-failed = It could not be calculated.
logbook-check-hand-title = By hand, in a terminal
logbook-check-hand-text = Each line should print the value that the calculation above shows.
logbook-check-all-title = The whole log, with our program
logbook-check-all-text = It fetches every entry, computes the whole tree anew, compares it with the tiles and the signed root, and names the first entry that is wrong. It runs on your computer and needs nothing from us but the public files.
logbook-check-all-since = From then on it continues from the checkpoint that you kept: it proves that the log only grew, and fetches only what is new.
logbook-check-go-title = With other people's programs
logbook-check-go-text = The log follows the public C2SP formats (tlog-tiles, tlog-checkpoint, signed-note, tlog-proof). This short program checks a receipt with the Go project's own libraries. Download it together with the receipt of an entry:
logbook-check-kept-title = Against a checkpoint you kept
logbook-check-kept-text = Whoever wrote down a root last month can see today whether the log only grew since.
logbook-check-kept-link = Compare with my checkpoint
logbook-check-key-title = The key of this log
logbook-check-key-text = Signatures are checked with this key. Compare it with one from another source, such as a printed notice at city hall or a newspaper: a forged page could show a forged key.

# Consistency
logbook-consistency-title = Compare two states of the log
logbook-consistency-lead = Enter the size and the root you wrote down earlier. You will see whether the log has only grown since.
logbook-consistency-old = Earlier number of entries
logbook-consistency-old-hint = The second line of the checkpoint you kept.
logbook-consistency-old-invalid = { $size ->
    [0] The log has no entries yet, so there is nothing to compare.
   *[other] Enter a whole number from 1 to { NUMBER($size) }, not above the later number.
}
logbook-consistency-root = Earlier root (optional)
logbook-consistency-root-hint = The third line of the checkpoint you kept.
logbook-consistency-root-invalid = Enter the root in base64 (44 characters) or hexadecimal (64 characters).
logbook-consistency-new = Later number of entries (optional)
logbook-consistency-new-hint = Left empty: the log as it is now, with { $size } entries.
logbook-consistency-new-invalid = Enter a whole number of at most { NUMBER($size) }.
logbook-consistency-button = Compare
logbook-consistency-good = The log of { NUMBER($new) } entries begins with exactly the { NUMBER($old) } entries that you kept the root of. Nothing was changed.
logbook-consistency-grew = The log of { NUMBER($new) } entries begins with the log of { NUMBER($old) } entries whose root is shown here. Compare that root with the one you kept.
logbook-consistency-other-root = The root you entered is not the one this log has for { NUMBER($old) } entries. If you copied it correctly, the past of the log was changed: keep your checkpoint and show it to an auditor or the press.
logbook-consistency-broken = The log of { NUMBER($new) } entries does not continue the one of { NUMBER($old) } entries. Please save this page and tell an auditor.
logbook-consistency-root-at = Root over { NUMBER($size) } entries
logbook-consistency-path = The proof
logbook-consistency-path-empty = Both states are the same; no further values are needed.

# My records
logbook-account = My account
logbook-receipts-title = My records on the log
logbook-receipts-lead = These entries are about you. Only you can open them. Keep a receipt of what matters to you: with it you can prove what was recorded, even against us.
logbook-receipts-empty = Nothing about you is on the log yet.
logbook-receipts-count = { $count ->
    [one] { NUMBER($count) } record
   *[other] { NUMBER($count) } records
}
logbook-receipt-payload-title = What was recorded
logbook-receipt-bound-title = How it is bound to the public entry
logbook-receipt-bound-text = The record and a random salt, hashed together, give the commitment on the public log. Without the salt nobody can guess what the commitment stands for, so treat it like the record itself.
logbook-receipt-salt = Salt
logbook-receipt-computed = Computed from record and salt
logbook-receipt-public = On the public log
logbook-receipt-island-good = It fits:
logbook-receipt-island-bad = It does not fit:
logbook-receipt-download = Download my receipt
logbook-receipt-download-text = The file contains the record, the salt and the proof. It holds personal data: keep it to yourself.
logbook-receipt-entry = The public entry
logbook-receipt-erased = The content of this record was erased, as promised, when its time was over. Only the entry on the log remains, and it tells nobody anything.

# When something is not there
logbook-entry-unknown = { $size ->
    [0] The log has no entries yet
   *[other] There is no such entry: the log has { NUMBER($size) }, counted from 0
}
logbook-entry-unknown-help = An entry's number stands beside it in the list of the public log.
logbook-receipt-unknown = There is no such record about you
logbook-receipt-unknown-help = Only the person a record is about can open its receipt.
logbook-sizes-out-of-order = These two sizes cannot be compared: the log has { NUMBER($size) } entries
logbook-sizes-out-of-order-help = The earlier size must be at least 1 and not above the later one, and the later one at most the log's present size.
logbook-tile-unknown = The log has no such file
logbook-tile-unknown-help = The path must be spelt as C2SP tlog-tiles prescribes, and the log must have grown that far.

# Kinds of entries
logbook-kind-code-appeal_answered-v1 = An appeal was answered
logbook-kind-code-appealed-v1 = An appeal was made
logbook-kind-code-decided-v1 = A colour was decided
logbook-kind-code-declared-v1 = A health declaration was made
logbook-kind-code-exposed-v1 = A possible exposure was recorded
logbook-kind-code-order_confirmed-v1 = A second officer confirmed an order
logbook-kind-code-order_proposed-v1 = An officer proposed an order
logbook-kind-code-order_rejected-v1 = An order was rejected
logbook-kind-code-order_withdrawn-v1 = An order was withdrawn
logbook-kind-code-pass_issued-v1 = A code was issued
logbook-kind-code-pass_revoked-v1 = A code was revoked
logbook-kind-code-policy_changed-v1 = The rules for colours were set
logbook-kind-code-policy_reviewed-v1 = Earlier codes were looked at again under the new rules
logbook-kind-code-revoked-v1 = A revoked code was put on the public list
logbook-kind-code-test_recorded-v1 = A test result was recorded
logbook-kind-gate-device_approved-v1 = A gate device was approved
logbook-kind-gate-device_refused-v1 = A gate device was refused
logbook-kind-gate-device_withdrawn-v1 = A gate device was withdrawn
logbook-kind-gate-enrolment_asked-v1 = A gate device asked to be enrolled
logbook-kind-gate-entered-v1 = Somebody entered a place
logbook-kind-gate-place_closed-v1 = A place was closed
logbook-kind-gate-place_demand_set-v1 = A place set what it asks of other passes
logbook-kind-gate-place_opened-v1 = A place was opened
logbook-kind-gate-place_renamed-v1 = A place was renamed
logbook-kind-gate-place_policy_set-v1 = A place set what it accepts
logbook-kind-pass-content_kept-v1 = What a pass says was kept, sealed
logbook-kind-pass-end_set-v1 = By which rules a pass ends was set
logbook-kind-pass-erased-v1 = A removed pass was erased
logbook-kind-pass-imported-v1 = A pass was put in a wallet
logbook-kind-pass-material_kept-v1 = A file of issuers' keys, revocations or rules was kept, sealed
logbook-kind-pass-removed-v1 = A pass was taken out of a wallet
logbook-kind-pass-restored-v1 = A pass was put back in a wallet
logbook-kind-pass-rules_confirmed-v1 = A second officer confirmed rules for passes
logbook-kind-pass-rules_proposed-v1 = An officer proposed rules for passes
logbook-kind-pass-rules_rejected-v1 = Rules for passes were rejected
logbook-kind-pass-rules_return_proposed-v1 = An officer proposed to go back to earlier rules for passes
logbook-kind-pass-source_confirmed-v1 = A second officer agreed to a source of trust
logbook-kind-pass-source_declined-v1 = A source of trust was declined
logbook-kind-pass-source_offered-v1 = An officer offered a source of trust
logbook-kind-pass-source_withdrawn-v1 = A source of trust was ended
logbook-kind-pass-warned-v1 = A person was told that a pass ends soon
logbook-kind-person-appointed-v1 = A member of staff was appointed
logbook-kind-person-forgotten-v1 = A person asked for deletion
logbook-kind-person-help_ended-v1 = A helper's permission ended
logbook-kind-person-help_granted-v1 = A helper was given permission
logbook-kind-person-help_offered-v1 = A person offered a consent code to a helper
logbook-kind-person-locale_chosen-v1 = A language for messages was chosen
logbook-kind-person-name_corrected-v1 = A name was corrected
logbook-kind-person-organisation_closed-v1 = An organisation was closed
logbook-kind-person-organisation_opened-v1 = An organisation was opened
logbook-kind-person-organisation_renamed-v1 = An organisation was renamed
logbook-kind-person-phone_changed-v1 = A phone number was changed
logbook-kind-person-phone_confirmed-v1 = A phone number was confirmed again
logbook-kind-person-registered-v1 = A person registered
logbook-kind-person-resumed-v1 = A member of staff may work again
logbook-kind-person-role_ended-v1 = A staff role ended
logbook-kind-person-role_granted-v1 = A staff role was granted
logbook-kind-person-suspended-v1 = A member of staff was suspended
logbook-kind-store-access_closed-v1 = An hour of the access log was sealed
logbook-kind-store-expired-v1 = A day of data was erased when its time was over
logbook-kind-store-forgotten-v1 = A person's data were erased
logbook-kind-store-joined-v1 = Visits were opened for a case by two officers
logbook-kind-code-issuer_added-v1 = A signing key was put on the list
logbook-kind-code-issuer_cleared-v1 = Every code that a refused key signed was ended
logbook-kind-code-issuer_compromised-v1 = What a signing key signed since then is refused
logbook-kind-code-issuer_ended-v1 = A signing key was ended
logbook-kind-code-keys_stated-v1 = How often each key signed was stated
logbook-kind-gate-lists_raised-v1 = From when on gates' lists count was raised
logbook-kind-store-queue_rotated-v1 = The key that gates seal their entries to was changed
logbook-kind-store-wrap_rotated-v1 = The key that wraps keys was changed
