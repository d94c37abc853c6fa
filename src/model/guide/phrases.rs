//! Parts of sentences that many answers share.

use super::language::Language;
use super::question::Kind;

/// Something that can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noun {
    Table,
    FactTable,
    Dimension,
    View,
    Source,
    Column,
    Schema,
    Join,
}

// === impl Language ===

impl Language {
    /// The text of this language.
    pub(super) fn pick<T>(self, english: T, slovak: T, czech: T) -> T {
        match self {
            Self::English => english,
            Self::Slovak => slovak,
            Self::Czech => czech,
        }
    }

    /// `7 fact tables`, `1 tabuľka`, `2 tabuľky`, `5 tabuliek`.
    pub(super) fn count(self, number: usize, noun: Noun) -> String {
        format!("{number} {}", self.noun(number, noun))
    }

    /// The noun as it stands after `number`.
    pub(super) fn noun(self, number: usize, noun: Noun) -> &'static str {
        let [one, few, many] = match self {
            Self::English => {
                let [one, many] = noun.english();
                [one, many, many]
            }
            Self::Slovak => noun.slovak(),
            Self::Czech => noun.czech(),
        };
        match (number, self) {
            (1, _) => one,
            (2..=4, Self::Slovak | Self::Czech) => few,
            _ => many,
        }
    }

    /// `is` or `are`, as it stands with a number.
    pub(super) fn are(self, number: usize) -> &'static str {
        self.agree(number, ["is", "je", "je"], ["are", "sú", "jsou"])
    }

    /// The form of a verb that goes with `number`: Slovak and Czech have the plural with two to
    /// four only.
    pub(super) fn agree(
        self,
        number: usize,
        singular: [&'static str; 3],
        plural: [&'static str; 3],
    ) -> &'static str {
        let is_plural = match self {
            Self::English => number != 1,
            Self::Slovak | Self::Czech => (2..=4).contains(&number),
        };
        let [english, slovak, czech] = if is_plural { plural } else { singular };
        self.pick(english, slovak, czech)
    }

    /// Tables as the object of a verb.
    pub(super) fn count_tables_object(self, number: usize) -> String {
        match (self, number) {
            (Self::Slovak, 1) => "1 tabuľku".to_owned(),
            (Self::Czech, 1) => "1 tabulku".to_owned(),
            _ => self.count(number, Noun::Table),
        }
    }

    /// `a, b and c`.
    pub(super) fn and(self, items: &[String]) -> String {
        match items {
            [] => String::new(),
            [only] => only.clone(),
            [first @ .., last] => {
                let and = self.pick("and", "a", "a");
                format!("{} {and} {last}", first.join(", "))
            }
        }
    }

    /// `… and 5 more`, for what a list leaves out.
    pub(super) fn more(self, number: usize) -> String {
        self.pick(
            format!("… and {number} more"),
            format!("… a ďalšie: {number}"),
            format!("… a další: {number}"),
        )
    }

    /// For what the catalog does not say.
    pub(super) fn not_recorded(self) -> &'static str {
        self.pick("not recorded", "neuvedené", "neuvedeno")
    }
}

// === impl Noun ===

impl Noun {
    fn english(self) -> [&'static str; 2] {
        match self {
            Self::Table => ["table", "tables"],
            Self::FactTable => ["fact table", "fact tables"],
            Self::Dimension => ["dimension", "dimensions"],
            Self::View => ["view", "views"],
            Self::Source => ["source table", "source tables"],
            Self::Column => ["column", "columns"],
            Self::Schema => ["schema", "schemas"],
            Self::Join => ["join", "joins"],
        }
    }

    fn slovak(self) -> [&'static str; 3] {
        match self {
            Self::Table => ["tabuľka", "tabuľky", "tabuliek"],
            Self::FactTable => ["faktová tabuľka", "faktové tabuľky", "faktových tabuliek"],
            Self::Dimension => ["dimenzia", "dimenzie", "dimenzií"],
            Self::View => ["pohľad", "pohľady", "pohľadov"],
            Self::Source => [
                "zdrojová tabuľka",
                "zdrojové tabuľky",
                "zdrojových tabuliek",
            ],
            Self::Column => ["stĺpec", "stĺpce", "stĺpcov"],
            Self::Schema => ["schéma", "schémy", "schém"],
            Self::Join => ["spojenie", "spojenia", "spojení"],
        }
    }

    fn czech(self) -> [&'static str; 3] {
        match self {
            Self::Table => ["tabulka", "tabulky", "tabulek"],
            Self::FactTable => ["faktová tabulka", "faktové tabulky", "faktových tabulek"],
            Self::Dimension => ["dimenze", "dimenze", "dimenzí"],
            Self::View => ["pohled", "pohledy", "pohledů"],
            Self::Source => ["zdrojová tabulka", "zdrojové tabulky", "zdrojových tabulek"],
            Self::Column => ["sloupec", "sloupce", "sloupců"],
            Self::Schema => ["schéma", "schémata", "schémat"],
            Self::Join => ["spojení", "spojení", "spojení"],
        }
    }

    /// The noun for tables of a type that a tool has named.
    pub(super) fn of_type(name: &str) -> Self {
        match name {
            "FACT" => Self::FactTable,
            "DIMENSION" => Self::Dimension,
            "VIEW" => Self::View,
            "SOURCE" => Self::Source,
            _ => Self::Table,
        }
    }
}

impl From<Option<Kind>> for Noun {
    fn from(kind: Option<Kind>) -> Self {
        match kind {
            None => Self::Table,
            Some(Kind::Fact) => Self::FactTable,
            Some(Kind::Dimension) => Self::Dimension,
            Some(Kind::View) => Self::View,
            Some(Kind::Source) => Self::Source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_agree_with_their_number() {
        for (language, number, phrase) in [
            (Language::English, 1, "1 table"),
            (Language::English, 2, "2 tables"),
            (Language::Slovak, 1, "1 tabuľka"),
            (Language::Slovak, 3, "3 tabuľky"),
            (Language::Slovak, 5, "5 tabuliek"),
            (Language::Czech, 0, "0 tabulek"),
            (Language::Czech, 22, "22 tabulek"),
        ] {
            assert_eq!(language.count(number, Noun::Table), phrase);
        }
    }

    #[test]
    fn lists_end_in_and() {
        let items = ["a", "b", "c"].map(ToOwned::to_owned);
        assert_eq!(Language::English.and(&items), "a, b and c");
        assert_eq!(Language::Czech.and(&items[..2]), "a a b");
        assert_eq!(Language::Slovak.and(&items[..1]), "a");
    }
}
