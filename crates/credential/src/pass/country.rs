//! Countries in two letters and in three (ISO 3166-1; ICAO Doc 9303-3, section 5, for what only
//! passports have).

/// Three letters and two of each, one after another.
const CODES: &str = "\
    ABWAW AFGAF AGOAO AIAAI ALAAX ALBAL ANDAD AREAE ARGAR ARMAM ASMAS ATAAQ ATFTF ATGAG AUSAU AUTAT \
    AZEAZ BDIBI BELBE BENBJ BESBQ BFABF BGDBD BGRBG BHRBH BHSBS BIHBA BLMBL BLRBY BLZBZ BMUBM BOLBO \
    BRABR BRBBB BRNBN BTNBT BVTBV BWABW CAFCF CANCA CCKCC CHECH CHLCL CHNCN CIVCI CMRCM CODCD COGCG \
    COKCK COLCO COMKM CPVCV CRICR CUBCU CUWCW CXRCX CYMKY CYPCY CZECZ DEUDE DJIDJ DMADM DNKDK DOMDO \
    DZADZ ECUEC EGYEG ERIER ESHEH ESPES ESTEE ETHET FINFI FJIFJ FLKFK FRAFR FROFO FSMFM GABGA GBRGB \
    GEOGE GGYGG GHAGH GIBGI GINGN GLPGP GMBGM GNBGW GNQGQ GRCGR GRDGD GRLGL GTMGT GUFGF GUMGU GUYGY \
    HKGHK HMDHM HNDHN HRVHR HTIHT HUNHU IDNID IMNIM INDIN IOTIO IRLIE IRNIR IRQIQ ISLIS ISRIL ITAIT \
    JAMJM JEYJE JORJO JPNJP KAZKZ KENKE KGZKG KHMKH KIRKI KNAKN KORKR KWTKW LAOLA LBNLB LBRLR LBYLY \
    LCALC LIELI LKALK LSOLS LTULT LUXLU LVALV MACMO MAFMF MARMA MCOMC MDAMD MDGMG MDVMV MEXMX MHLMH \
    MKDMK MLIML MLTMT MMRMM MNEME MNGMN MNPMP MOZMZ MRTMR MSRMS MTQMQ MUSMU MWIMW MYSMY MYTYT NAMNA \
    NCLNC NERNE NFKNF NGANG NICNI NIUNU NLDNL NORNO NPLNP NRUNR NZLNZ OMNOM PAKPK PANPA PCNPN PERPE \
    PHLPH PLWPW PNGPG POLPL PRIPR PRKKP PRTPT PRYPY PSEPS PYFPF QATQA REURE ROURO RUSRU RWARW SAUSA \
    SDNSD SENSN SGPSG SGSGS SHNSH SJMSJ SLBSB SLESL SLVSV SMRSM SOMSO SPMPM SRBRS SSDSS STPST SURSR \
    SVKSK SVNSI SWESE SWZSZ SXMSX SYCSC SYRSY TCATC TCDTD TGOTG THATH TJKTJ TKLTK TKMTM TLSTL TONTO \
    TTOTT TUNTN TURTR TUVTV TWNTW TZATZ UGAUG UKRUA UMIUM URYUY USAUS UZBUZ VATVA VCTVC VENVE VGBVG \
    VIRVI VNMVN VUTVU WLFWF WSMWS YEMYE ZAFZA ZMBZM ZWEZW EUEEU UNOUN UTOUT RKSKS D<<DE";

/// The two letters of a country in three, `D` for Germany as in its passports.
pub(crate) fn two_letters(three: &str) -> Option<&'static str> {
    let three = if three == "D" { "D<<" } else { three };
    CODES
        .split_ascii_whitespace()
        .find_map(|code| code.strip_prefix(three).filter(|two| two.len() == 2))
}

/// Whether a code of three letters, or of two, names the country of a certificate, which has two
/// letters, or three in a few states.
pub(crate) fn is_same(code: &str, of_certificate: &str) -> bool {
    let short = |code: &str| {
        let code = code.to_ascii_uppercase();
        two_letters(&code).map_or(code, str::to_owned)
    };
    !code.is_empty() && short(code) == short(of_certificate)
}

#[cfg(test)]
mod tests {
    use super::{CODES, is_same, two_letters};

    #[test]
    fn every_code_has_three_letters_and_two_and_stands_once() {
        let mut codes: Vec<_> = CODES.split_ascii_whitespace().collect();
        assert!(codes.iter().all(|code| code.len() == 5), "{codes:?}");
        let count = codes.len();
        assert_eq!(count, 249 + 5, "ISO 3166-1 has 249 countries");
        codes.sort_unstable_by_key(|code| &code[..3]);
        codes.dedup_by_key(|code| &code[..3]);
        assert_eq!(codes.len(), count);
    }

    #[test]
    fn countries_are_compared_across_both_forms() {
        assert_eq!(two_letters("AUS"), Some("AU"));
        for (code, certificate) in
            [("AUS", "AU"), ("AUS", "au"), ("D", "DE"), ("JPN", "JPN"), ("NZ", "NZ")]
        {
            assert!(is_same(code, certificate), "{code} {certificate}");
        }
        for (code, certificate) in
            [("AUS", "AT"), ("AUT", "AU"), ("", ""), ("AU", ""), ("XXX", "XX")]
        {
            assert!(!is_same(code, certificate), "{code} {certificate}");
        }
    }
}
