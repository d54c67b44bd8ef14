//! The kinds of entries by name, and where their words stand.
//!
//! A new kind of another slice is shown under its raw name until its words are added here, so that
//! no slice has to wait for this one.

use web::Frame;

/// Every kind that has words, with the key of its text: `logbook-kind-` and the kind with its dots
/// turned into dashes.
pub const KINDS: &[(&str, &str)] = &[
    ("code.appeal_answered.v1", "logbook-kind-code-appeal_answered-v1"),
    ("code.appealed.v1", "logbook-kind-code-appealed-v1"),
    ("code.decided.v1", "logbook-kind-code-decided-v1"),
    ("code.declared.v1", "logbook-kind-code-declared-v1"),
    ("code.exposed.v1", "logbook-kind-code-exposed-v1"),
    ("code.issuer_added.v1", "logbook-kind-code-issuer_added-v1"),
    ("code.issuer_cleared.v1", "logbook-kind-code-issuer_cleared-v1"),
    ("code.issuer_compromised.v1", "logbook-kind-code-issuer_compromised-v1"),
    ("code.issuer_ended.v1", "logbook-kind-code-issuer_ended-v1"),
    ("code.keys_stated.v1", "logbook-kind-code-keys_stated-v1"),
    ("code.order_confirmed.v1", "logbook-kind-code-order_confirmed-v1"),
    ("code.order_proposed.v1", "logbook-kind-code-order_proposed-v1"),
    ("code.order_rejected.v1", "logbook-kind-code-order_rejected-v1"),
    ("code.order_withdrawn.v1", "logbook-kind-code-order_withdrawn-v1"),
    ("code.pass_issued.v1", "logbook-kind-code-pass_issued-v1"),
    ("code.pass_revoked.v1", "logbook-kind-code-pass_revoked-v1"),
    ("code.policy_changed.v1", "logbook-kind-code-policy_changed-v1"),
    ("code.policy_reviewed.v1", "logbook-kind-code-policy_reviewed-v1"),
    ("code.revoked.v1", "logbook-kind-code-revoked-v1"),
    ("code.test_recorded.v1", "logbook-kind-code-test_recorded-v1"),
    ("gate.device_approved.v1", "logbook-kind-gate-device_approved-v1"),
    ("gate.device_refused.v1", "logbook-kind-gate-device_refused-v1"),
    ("gate.device_withdrawn.v1", "logbook-kind-gate-device_withdrawn-v1"),
    ("gate.enrolment_asked.v1", "logbook-kind-gate-enrolment_asked-v1"),
    ("gate.entered.v1", "logbook-kind-gate-entered-v1"),
    ("gate.lists_raised.v1", "logbook-kind-gate-lists_raised-v1"),
    ("gate.place_closed.v1", "logbook-kind-gate-place_closed-v1"),
    ("gate.place_demand_set.v1", "logbook-kind-gate-place_demand_set-v1"),
    ("gate.place_opened.v1", "logbook-kind-gate-place_opened-v1"),
    ("gate.place_policy_set.v1", "logbook-kind-gate-place_policy_set-v1"),
    ("gate.place_renamed.v1", "logbook-kind-gate-place_renamed-v1"),
    ("pass.content_kept.v1", "logbook-kind-pass-content_kept-v1"),
    ("pass.end_set.v1", "logbook-kind-pass-end_set-v1"),
    ("pass.erased.v1", "logbook-kind-pass-erased-v1"),
    ("pass.imported.v1", "logbook-kind-pass-imported-v1"),
    ("pass.material_kept.v1", "logbook-kind-pass-material_kept-v1"),
    ("pass.removed.v1", "logbook-kind-pass-removed-v1"),
    ("pass.restored.v1", "logbook-kind-pass-restored-v1"),
    ("pass.rules_confirmed.v1", "logbook-kind-pass-rules_confirmed-v1"),
    ("pass.rules_proposed.v1", "logbook-kind-pass-rules_proposed-v1"),
    ("pass.rules_rejected.v1", "logbook-kind-pass-rules_rejected-v1"),
    ("pass.rules_return_proposed.v1", "logbook-kind-pass-rules_return_proposed-v1"),
    ("pass.source_confirmed.v1", "logbook-kind-pass-source_confirmed-v1"),
    ("pass.source_declined.v1", "logbook-kind-pass-source_declined-v1"),
    ("pass.source_offered.v1", "logbook-kind-pass-source_offered-v1"),
    ("pass.source_withdrawn.v1", "logbook-kind-pass-source_withdrawn-v1"),
    ("pass.warned.v1", "logbook-kind-pass-warned-v1"),
    ("person.appointed.v1", "logbook-kind-person-appointed-v1"),
    ("person.forgotten.v1", "logbook-kind-person-forgotten-v1"),
    ("person.help_ended.v1", "logbook-kind-person-help_ended-v1"),
    ("person.help_granted.v1", "logbook-kind-person-help_granted-v1"),
    ("person.help_offered.v1", "logbook-kind-person-help_offered-v1"),
    ("person.locale_chosen.v1", "logbook-kind-person-locale_chosen-v1"),
    ("person.name_corrected.v1", "logbook-kind-person-name_corrected-v1"),
    ("person.organisation_closed.v1", "logbook-kind-person-organisation_closed-v1"),
    ("person.organisation_opened.v1", "logbook-kind-person-organisation_opened-v1"),
    ("person.organisation_renamed.v1", "logbook-kind-person-organisation_renamed-v1"),
    ("person.phone_changed.v1", "logbook-kind-person-phone_changed-v1"),
    ("person.phone_confirmed.v1", "logbook-kind-person-phone_confirmed-v1"),
    ("person.registered.v1", "logbook-kind-person-registered-v1"),
    ("person.resumed.v1", "logbook-kind-person-resumed-v1"),
    ("person.role_ended.v1", "logbook-kind-person-role_ended-v1"),
    ("person.role_granted.v1", "logbook-kind-person-role_granted-v1"),
    ("person.suspended.v1", "logbook-kind-person-suspended-v1"),
    ("store.access_closed.v1", "logbook-kind-store-access_closed-v1"),
    ("store.expired.v1", "logbook-kind-store-expired-v1"),
    ("store.forgotten.v1", "logbook-kind-store-forgotten-v1"),
    ("store.joined.v1", "logbook-kind-store-joined-v1"),
    ("store.queue_rotated.v1", "logbook-kind-store-queue_rotated-v1"),
    ("store.wrap_rotated.v1", "logbook-kind-store-wrap_rotated-v1"),
];

/// The key of a kind's words, when it has some.
pub fn text_key(kind: &str) -> Option<&'static str> {
    KINDS.iter().find(|(known, _)| *known == kind).map(|(_, key)| *key)
}

/// A kind in the reader's language; its raw name when there are no words for it yet.
pub fn in_words(frame: &Frame, kind: &str) -> String {
    text_key(kind).map_or_else(|| kind.to_owned(), |key| frame.t(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_made_from_its_kind_and_the_list_is_in_order() {
        for (kind, key) in KINDS {
            assert_eq!(*key, format!("logbook-kind-{}", kind.replace('.', "-")));
        }
        assert!(KINDS.is_sorted());
    }

    #[test]
    fn every_kind_has_words_in_three_languages() {
        for (tag, source) in crate::TEXTS {
            for (_, key) in KINDS {
                assert!(source.contains(&format!("\n{key} = ")), "{tag} lacks {key}");
            }
        }
    }

    #[test]
    fn an_unknown_kind_has_no_key() {
        assert_eq!(text_key("store.forgotten.v2"), None);
        assert_eq!(text_key(""), None);
    }
}
