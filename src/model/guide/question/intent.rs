//! From what the words say to what is asked for. The more telling words come first.

use super::super::lexicon::Concept;
use super::{Aspect, Counted, Direction, Intent, Kind, Tokens, mention};

impl Tokens<'_> {
    pub(super) fn intent(&self) -> Option<Intent> {
        self.about_dragoman()
            .or_else(|| self.search())
            .or_else(|| self.strong_lineage().map(Intent::Lineage))
            .or_else(|| self.relate_two())
            .or_else(|| self.reference().map(Intent::Reference))
            .or_else(|| self.relate())
            .or_else(|| self.weak_lineage().map(Intent::Lineage))
            .or_else(|| self.count())
            .or_else(|| self.describe())
            .or_else(|| self.list())
            .or_else(|| self.talk())
    }

    fn about_dragoman(&self) -> Option<Intent> {
        let about_a_table = self.mentions.iter().any(|mention| {
            matches!(
                mention.after,
                Some(Concept::About | Concept::In | Concept::Describe)
            )
        });
        (self.has(Concept::Identity) && !about_a_table).then_some(Intent::Introduce)
    }

    fn search(&self) -> Option<Intent> {
        use Concept::{
            Column, Contain, Find, Have, Named, Origin, Table, Used, Where, Which, With,
        };
        let found = mention::sought(self.mentions)?;
        if self
            .mentions
            .iter()
            .any(|mention| mention.text.contains('*'))
        {
            return Some(Intent::Search);
        }
        let noun_between = |verb: usize| {
            self.at(Table)
                .is_some_and(|table| verb < table && table < found.at)
        };
        let contained = self
            .at(Contain)
            .is_some_and(|verb| verb < found.at && !noun_between(verb));
        let columns_like = self.has(Column)
            && (self.has_any(&[Named, Find])
                || self
                    .mentions
                    .iter()
                    .any(|mention| mention.after == Some(With)));
        let tables_with = self.at(Table).is_some_and(|table| {
            let verb = self.at(Have).or_else(|| self.at(With));
            self.has(Which)
                && self.at(Column).is_none_or(|column| table < column)
                && verb.is_some_and(|verb| table < verb && verb < found.at)
        });
        // "In which tables is …", which has no verb that says so.
        let in_tables = self
            .at(Concept::In)
            .zip(self.at(Table))
            .is_some_and(|(of, table)| {
                self.at(Which) == Some(of + 1) && of < table && table < found.at
            })
            && self.strong_lineage().is_none();
        let somewhere = self.has_any(&[Where, Find])
            && !self.has_any(&[Table, Origin, Used, Concept::Use])
            && !self.has_any(&[Concept::Fact, Concept::Dimension, Concept::View]);
        (contained
            || columns_like
            || tables_with
            || in_tables
            || somewhere && !self.has_lineage_noun())
        .then_some(Intent::Search)
    }

    fn reference(&self) -> Option<Direction> {
        let verb = self.at(Concept::Reference)?;
        if !self.has_subject() {
            return Some(Direction::Both);
        }
        // "Foreign keys of X" are those of both sides; a verb has a subject before and an object
        // after it.
        let of = self
            .mentions
            .iter()
            .any(|mention| mention.after == Some(Concept::In));
        if of {
            return Some(Direction::Both);
        }
        if let Some(onto) = self.at(Concept::Onto) {
            // "Na čo odkazuje X" and "čo odkazuje na X".
            return Some(if onto < verb {
                Direction::Up
            } else {
                Direction::Down
            });
        }
        Some(self.towards(verb, Direction::Down))
    }

    /// "A foreign key between X and Y" is about the two, whatever else it says.
    fn relate_two(&self) -> Option<Intent> {
        self.relate().filter(|_| self.mentions.len() > 1)
    }

    fn relate(&self) -> Option<Intent> {
        self.has(Concept::Relation).then_some(Intent::Relate)
    }

    fn count(&self) -> Option<Intent> {
        if !self.has(Concept::HowMany) {
            return None;
        }
        if self.has(Concept::Row) {
            return Some(Intent::Rows);
        }
        if self.has(Concept::Column) {
            return Some(Intent::Count(Counted::Columns));
        }
        if self.has(Concept::Schema) && !self.has(Concept::Table) && self.mentions.is_empty() {
            return Some(Intent::Schemas);
        }
        let kind = self.kind();
        if kind.is_some() || self.has(Concept::Table) {
            return Some(Intent::Count(Counted::Tables(kind)));
        }
        if self.mentions.is_empty() {
            return Some(Intent::Count(Counted::Unsaid));
        }
        Some(Intent::Rows)
    }

    fn describe(&self) -> Option<Intent> {
        let mut aspects = Vec::new();
        if self.has(Concept::Owner) {
            aspects.push(Aspect::Owner);
        }
        if self.has(Concept::Refresh) || self.has(Concept::When) && self.has(Concept::Change) {
            aspects.push(Aspect::Refresh);
        }
        if self.has_any(&[Concept::Grain, Concept::Row]) {
            aspects.push(Aspect::Grain);
        }
        if self.has(Concept::Key) {
            aspects.push(Aspect::Key);
        }
        if self.has_any(&[Concept::Column, Concept::Contain]) {
            aspects.push(Aspect::Columns);
        }
        let described = !aspects.is_empty()
            || self.has(Concept::Describe) && (self.has_subject() || self.goes_on());
        described.then_some(Intent::Describe(aspects))
    }

    fn list(&self) -> Option<Intent> {
        let kind = self.kind();
        if kind.is_none() && self.mentions.is_empty() && self.wants_schemas() {
            return Some(Intent::Schemas);
        }
        if kind.is_some() || self.has_any(&[Concept::Table, Concept::Schema]) {
            return Some(Intent::List(kind));
        }
        if !self.has(Concept::List) {
            return None;
        }
        if self.has_subject() {
            return Some(Intent::Describe(Vec::new()));
        }
        Some(Intent::List(None))
    }

    /// "Which schemas are there", and not "list tables by schema".
    fn wants_schemas(&self) -> bool {
        self.at(Concept::Schema)
            .is_some_and(|schema| self.at(Concept::Table).is_none_or(|table| schema < table))
    }

    fn talk(&self) -> Option<Intent> {
        if self.has_subject() {
            return None;
        }
        if self.has(Concept::Help) {
            return Some(Intent::Help);
        }
        let only = |intent: Intent, concept| self.has(concept).then_some(intent);
        only(Intent::AcceptThanks, Concept::Thanks)
            .or_else(|| only(Intent::TakeLeave, Concept::Farewell))
            .or_else(|| only(Intent::Greet, Concept::Greeting))
    }

    fn kind(&self) -> Option<Kind> {
        [
            (Concept::Fact, Kind::Fact),
            (Concept::Dimension, Kind::Dimension),
            (Concept::View, Kind::View),
            (Concept::Source, Kind::Source),
        ]
        .into_iter()
        .find_map(|(concept, kind)| self.has(concept).then_some(kind))
    }
}
