//! Opening a gate's queue of entries, on the server only.
//!
//! A guard's browser must not hold what it cannot protect (ASVS 14.3.3), so each entry is sealed at
//! once to the region's public key, which the browser cannot open. Per batch the browser makes an
//! ephemeral P-256 key pair and keeps only its public half; then, for both sides:
//!
//! ```text
//! secret = ECDH(ephemeral, region)                        32 bytes, the x coordinate
//! key    = HKDF-SHA256(secret, salt = ephemeral public (65 bytes, uncompressed),
//!                      info = "haetae/queue/v1")           32 bytes
//! entry  = AES-256-GCM(key, nonce = 4 zero bytes || counter as u64 big endian, no extra data)
//! ```
//!
//! All of it is plain WebCrypto. The counter runs within one ephemeral key and must never repeat.
//! Who made the batch is another matter: the gate signs it with its device key.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::Zeroizing;

const INFO: &[u8] = b"haetae/queue/v1";

/// Why a batch, or an entry of it, was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealedError {
    /// The private scalar is not a key of P-256, or the library refused to work.
    #[error("the region key is not usable")]
    RegionKey,
    /// The ephemeral key is not an uncompressed point of P-256.
    #[error("the ephemeral key is not a point")]
    EphemeralKey,
    /// The entry was altered, cut, or sealed with another key or counter.
    #[error("the entry does not open")]
    Entry,
}

impl SealedError {
    /// The stable code for machines.
    pub fn code(self) -> &'static str {
        match self {
            Self::RegionKey => "queue_region_key_unusable",
            Self::EphemeralKey => "queue_ephemeral_key_bad",
            Self::Entry => "queue_entry_bad",
        }
    }
}

/// The region's key pair that gates seal their entries to.
pub struct QueueKey {
    private: PrivateKey,
    public: [u8; 65],
}

impl core::fmt::Debug for QueueKey {
    /// Shows the public half only.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("QueueKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl QueueKey {
    /// A new random key.
    pub fn generate() -> Result<Self, SealedError> {
        Self::from_private(PrivateKey::generate(&ECDH_P256))
    }

    /// The key of a private scalar as [`QueueKey::scalar`] gives it.
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self, SealedError> {
        let private = PrivateKey::from_private_key(&ECDH_P256, scalar);
        Self::from_private(private.map_err(|_| Unspecified))
    }

    fn from_private(private: Result<PrivateKey, Unspecified>) -> Result<Self, SealedError> {
        let private = private.map_err(|_| SealedError::RegionKey)?;
        let point = private.compute_public_key().map_err(|_| SealedError::RegionKey)?;
        let public = point.as_ref().try_into().map_err(|_| SealedError::RegionKey)?;
        Ok(Self { private, public })
    }

    /// The private scalar, 32 bytes big endian, for the region's key file.
    pub fn scalar(&self) -> Result<Zeroizing<[u8; 32]>, SealedError> {
        let scalar: EcPrivateKeyBin<'_> =
            self.private.as_be_bytes().map_err(|_| SealedError::RegionKey)?;
        let bytes = scalar.as_ref().try_into().map_err(|_| SealedError::RegionKey)?;
        Ok(Zeroizing::new(bytes))
    }

    /// The public point, 65 bytes uncompressed: WebCrypto's `raw` format.
    pub fn public(&self) -> [u8; 65] {
        self.public
    }

    /// Opens a batch: pairs of counter and sealed entry, all under the one `ephemeral` public key
    /// (65 bytes uncompressed). One curve operation for the whole batch; the answers come in the
    /// order of the entries, each on its own, so that a damaged one does not hide the others.
    pub fn open(
        &self,
        ephemeral: &[u8],
        entries: &[(u64, &[u8])],
    ) -> Result<Vec<Result<Vec<u8>, SealedError>>, SealedError> {
        // aws-lc would read compressed points too; the format has one form.
        if ephemeral.len() != 65 || ephemeral.first() != Some(&4) {
            return Err(SealedError::EphemeralKey);
        }
        let key = batch_key(&self.private, ephemeral, ephemeral)?;
        Ok(entries.iter().map(|(counter, sealed)| open_entry(&key, *counter, sealed)).collect())
    }
}

/// The browser's half, for the simulated city and for tests: seals entries with counters from 0.
pub struct QueueSealer {
    key: LessSafeKey,
    ephemeral: [u8; 65],
    counter: u64,
}

impl core::fmt::Debug for QueueSealer {
    /// Shows the public half and the counter only.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut shown = formatter.debug_struct("QueueSealer");
        shown.field("ephemeral", &self.ephemeral).field("counter", &self.counter);
        shown.finish_non_exhaustive()
    }
}

impl QueueSealer {
    /// Begins a batch to the region's public key with a fresh ephemeral key.
    pub fn new(region_public: &[u8; 65]) -> Result<Self, SealedError> {
        let pair = QueueKey::generate()?;
        let key = batch_key(&pair.private, region_public, &pair.public)?;
        Ok(Self { key, ephemeral: pair.public, counter: 0 })
    }

    /// The ephemeral public key that goes with the batch.
    pub fn ephemeral(&self) -> [u8; 65] {
        self.ephemeral
    }

    /// Seals the next entry; returns its counter and the sealed bytes (16 longer than `plain`).
    pub fn seal(&mut self, plain: &[u8]) -> Result<(u64, Vec<u8>), SealedError> {
        let counter = self.counter;
        let mut buffer = plain.to_vec();
        self.key
            .seal_in_place_append_tag(nonce(counter), Aad::empty(), &mut buffer)
            .map_err(|_| SealedError::Entry)?;
        self.counter = counter.saturating_add(1);
        Ok((counter, buffer))
    }
}

struct KeyLength;

impl KeyType for KeyLength {
    fn len(&self) -> usize {
        32
    }
}

fn batch_key(
    private: &PrivateKey,
    peer: &[u8],
    ephemeral: &[u8],
) -> Result<LessSafeKey, SealedError> {
    let peer = UnparsedPublicKey::new(&ECDH_P256, peer);
    agreement::agree(private, peer, SealedError::EphemeralKey, |secret| {
        let mut key = Zeroizing::new([0; 32]);
        let unusable = |_| SealedError::RegionKey;
        let derived = Salt::new(HKDF_SHA256, ephemeral).extract(secret);
        let derived = derived.expand(&[INFO], KeyLength).map_err(unusable)?;
        derived.fill(key.as_mut_slice()).map_err(unusable)?;
        Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(unusable)?))
    })
}

fn open_entry(key: &LessSafeKey, counter: u64, sealed: &[u8]) -> Result<Vec<u8>, SealedError> {
    let mut buffer = sealed.to_vec();
    let plain = key.open_in_place(nonce(counter), Aad::empty(), &mut buffer);
    let length = plain.map_err(|_| SealedError::Entry)?.len();
    buffer.truncate(length);
    Ok(buffer)
}

fn nonce(counter: u64) -> Nonce {
    let mut bytes = [0; 12];
    let (_, last) = bytes.split_at_mut(4);
    last.copy_from_slice(&counter.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
mod tests {
    use super::{QueueKey, QueueSealer, SealedError};

    #[test]
    fn a_batch_opens_in_any_order_and_a_damaged_entry_hides_no_other() {
        let region = QueueKey::generate().unwrap();
        let mut sealer = QueueSealer::new(&region.public()).unwrap();
        let mut entries: Vec<(u64, Vec<u8>)> =
            ["one", "two", ""].map(|plain| sealer.seal(plain.as_bytes()).unwrap()).to_vec();
        entries.reverse();
        entries[1].1[0] ^= 1;
        let batch: Vec<(u64, &[u8])> = entries.iter().map(|(n, bytes)| (*n, &bytes[..])).collect();
        let opened = region.open(&sealer.ephemeral(), &batch).unwrap();
        assert_eq!(opened, [Ok(vec![]), Err(SealedError::Entry), Ok(b"one".to_vec())]);
    }

    #[test]
    fn a_key_comes_back_from_its_scalar() {
        let region = QueueKey::generate().unwrap();
        let again = QueueKey::from_scalar(&region.scalar().unwrap()).unwrap();
        assert_eq!(again.public(), region.public());
        assert_eq!(QueueKey::from_scalar(&[0; 32]).unwrap_err(), SealedError::RegionKey);
        assert_eq!(QueueKey::from_scalar(&[255; 32]).unwrap_err(), SealedError::RegionKey);
    }

    #[test]
    fn another_key_another_counter_and_no_point_are_told_apart() {
        let region = QueueKey::generate().unwrap();
        let mut browser = QueueSealer::new(&region.public()).unwrap();
        let (counter, sealed) = browser.seal(b"entry").unwrap();
        let entry: &[(u64, &[u8])] = &[(counter, &sealed)];
        let other = QueueKey::generate().unwrap();
        let unread = Ok(vec![Err(SealedError::Entry)]);
        assert_eq!(other.open(&browser.ephemeral(), entry), unread);
        assert_eq!(region.open(&other.public(), entry), unread);
        assert_eq!(region.open(&browser.ephemeral(), &[(counter + 1, &sealed)]), unread);
        assert_eq!(region.open(&browser.ephemeral(), &[(counter, b"short")]), unread);
        for bad in [&[][..], &[4; 65], &browser.ephemeral()[..64], &[2; 33]] {
            assert_eq!(region.open(bad, entry), Err(SealedError::EphemeralKey));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_for_a_batch_are_refused_without_a_panic(
            ephemeral: Vec<u8>, counter: u64, sealed: Vec<u8>,
        ) {
            let region = QueueKey::from_scalar(&[5; 32]).unwrap();
            proptest::prop_assert!(region.open(&ephemeral, &[(counter, &sealed)]).is_err());
            let opened = region.open(&region.public(), &[(counter, &sealed)]).unwrap();
            proptest::prop_assert_eq!(opened, vec![Err(SealedError::Entry)]);
        }
    }
}
