//! Answers that are about the conversation and not about a table.

use super::super::language::Language;
use super::super::markdown::{code, plain, text};
use super::super::names::Names;
use super::super::results::Failure;
use crate::matching::tokens;

/// Most tables offered to choose from.
const MAX_CHOICES: usize = 10;

pub(super) fn greeting(language: Language) -> String {
    language
        .pick(
            "Hello! Ask me about the tables of this catalog: what they hold, how they join, where \
             their data comes from. Say \"help\" for examples.",
            "Dobrý deň! Pýtajte sa na tabuľky tohto katalógu: čo obsahujú, ako sa spájajú, odkiaľ \
             pochádzajú ich dáta. Príklady ukáže „pomoc“.",
            "Dobrý den! Ptejte se na tabulky tohoto katalogu: co obsahují, jak se spojují, odkud \
             pocházejí jejich data. Příklady ukáže „pomoc“.",
        )
        .to_owned()
}

pub(super) fn farewell(language: Language) -> String {
    language
        .pick("Goodbye!", "Dovidenia!", "Na shledanou!")
        .to_owned()
}

pub(super) fn thanks(language: Language) -> String {
    language
        .pick(
            "You're welcome. Just ask if you need anything else.",
            "Niet za čo. Ak budete potrebovať niečo ďalšie, pýtajte sa.",
            "Není zač. Budete-li potřebovat něco dalšího, ptejte se.",
        )
        .to_owned()
}

/// What answers here. Only what is true of this release.
pub(super) fn introduction(language: Language) -> String {
    language
        .pick(
            "I am dragoman's guide: a rule-based program, **not a language model**. I recognise \
             questions about the data catalog by their words, ask the catalog's tools and write \
             down what they say; I make nothing up, and I do not understand much beyond \
             that.\n\nWhat answers here is chosen with `--model` when dragoman is started. This \
             release knows `guide`, which is me, and `scripted:FILE`, which plays prepared answers \
             for tests. Real language models come in a later release.",
            "Som sprievodca (guide) dragomana: program s pravidlami, **nie jazykový model**. \
             Otázky o dátovom katalógu rozpoznávam podľa slov, pýtam sa nástrojov katalógu a \
             zapíšem, čo odpovedia; nič si nevymýšľam a veľa iného nedokážem.\n\nČo tu odpovedá, \
             sa určuje pri spustení voľbou `--model`. Toto vydanie pozná `guide`, čo som ja, a \
             `scripted:FILE`, ktorý prehráva pripravené odpovede na testy. Skutočné jazykové \
             modely prídu v niektorom ďalšom vydaní.",
            "Jsem průvodce (guide) dragomana: program s pravidly, **ne jazykový model**. Otázky o \
             datovém katalogu rozpoznávám podle slov, ptám se nástrojů katalogu a zapíšu, co \
             odpovědí; nic si nevymýšlím a mnoho jiného nedokážu.\n\nCo tu odpovídá, se určuje při \
             spuštění volbou `--model`. Toto vydání zná `guide`, což jsem já, a `scripted:FILE`, \
             který přehrává připravené odpovědi pro testy. Skutečné jazykové modely přijdou v \
             některém dalším vydání.",
        )
        .to_owned()
}

pub(super) fn help(language: Language, names: &Names) -> String {
    let tables = Examples::of(names);
    let (one, other) = (&tables.fact, &tables.dimension);
    let word = tokens(other).pop().unwrap_or_default();
    let lead = language.pick(
        "I answer questions about this data catalog. For example:",
        "Odpovedám na otázky o tomto dátovom katalógu. Napríklad:",
        "Odpovídám na otázky o tomto datovém katalogu. Například:",
    );
    let examples = language.pick(
        [
            ("tables", "List all tables".to_owned()),
            ("one table", format!("Describe {one}")),
            ("columns", format!("Which columns contain {word}?")),
            ("joins", format!("How is {one} related to {other}?")),
            ("lineage", format!("Where does {one} come from?")),
            ("impact", format!("What breaks if {other} changes?")),
            ("counts", format!("How many columns does {other} have?")),
        ],
        [
            ("tabuľky", "Vypíš všetky tabuľky".to_owned()),
            ("jedna tabuľka", format!("Popíš {one}")),
            ("stĺpce", format!("Ktoré stĺpce obsahujú {word}?")),
            ("spojenia", format!("Ako súvisí {one} s {other}?")),
            ("pôvod", format!("Odkiaľ pochádza {one}?")),
            ("dopad", format!("Čo sa pokazí, ak sa zmení {other}?")),
            ("počty", format!("Koľko stĺpcov má {other}?")),
        ],
        [
            ("tabulky", "Vypiš všechny tabulky".to_owned()),
            ("jedna tabulka", format!("Popiš {one}")),
            ("sloupce", format!("Které sloupce obsahují {word}?")),
            ("spojení", format!("Jak souvisí {one} s {other}?")),
            ("původ", format!("Odkud pochází {one}?")),
            ("dopad", format!("Co se rozbije, když se změní {other}?")),
            ("počty", format!("Kolik sloupců má {other}?")),
        ],
    );
    let lines: Vec<String> = examples
        .into_iter()
        .map(|(what, example)| format!("- {what}: *{example}*"))
        .collect();
    let end = language.pick(
        "Names may be short or misspelled, and a question may refer to the one before: *and its \
         columns?*",
        "Názvy môžu byť skrátené aj s preklepom a otázka môže nadväzovať na predošlú: *a jej \
         stĺpce?*",
        "Názvy mohou být zkrácené i s překlepem a otázka může navazovat na předchozí: *a její \
         sloupce?*",
    );
    format!("{lead}\n\n{}\n\n{end}", lines.join("\n"))
}

/// For a question that is none the guide understands.
pub(super) fn unknown(language: Language, names: &Names) -> String {
    let lead = language.pick(
        "I can't answer that: I only understand questions about this data catalog. These would \
         work:",
        "Na to neviem odpovedať: rozumiem len otázkam o tomto dátovom katalógu. Fungovali by \
         napríklad tieto:",
        "Na to neumím odpovědět: rozumím jen otázkám o tomto datovém katalogu. Fungovaly by \
         například tyto:",
    );
    format!("{lead}\n\n{}", suggestions(language, names))
}

/// For a question about the data itself.
pub(super) fn no_rows(language: Language, names: &Names) -> String {
    let lead = language.pick(
        "I can't answer that: the catalog describes tables, it does not hold or count their rows. \
         These would work:",
        "Na to neviem odpovedať: katalóg opisuje tabuľky, ich riadky nemá a nepočíta. Fungovali by \
         napríklad tieto otázky:",
        "Na to neumím odpovědět: katalog popisuje tabulky, jejich řádky nemá a nepočítá. Fungovaly \
         by například tyto otázky:",
    );
    format!("{lead}\n\n{}", suggestions(language, names))
}

/// For a question about a table that does not say which.
pub(super) fn which_table(language: Language, names: &Names) -> String {
    let lead = language.pick(
        "Which table do you mean? For example:",
        "Ktorú tabuľku máte na mysli? Napríklad:",
        "Kterou tabulku máte na mysli? Například:",
    );
    format!("{lead}\n\n{}", suggestions(language, names))
}

/// For a name that fits several tables.
pub(super) fn which_of(language: Language, phrase: &str, tables: &[String]) -> String {
    let phrase = code(phrase);
    let lead = language.pick(
        format!("{phrase} fits several tables:"),
        format!("{phrase} môže znamenať viac tabuliek:"),
        format!("{phrase} může znamenat více tabulek:"),
    );
    let question = language.pick(
        "Which one do you mean?",
        "Ktorú myslíte?",
        "Kterou myslíte?",
    );
    format!("{lead}\n\n{}\n\n{question}", numbered(language, tables))
}

/// For the name of a column that several tables have.
pub(super) fn column_of_many(language: Language, column: &str, tables: &[String]) -> String {
    let column = code(column);
    let shown: Vec<String> = tables.iter().take(MAX_CHOICES).cloned().collect();
    let list = language.and(&shown);
    let rest = tables.len() - shown.len();
    let list = if rest > 0 {
        format!("{list} {}", language.more(rest))
    } else {
        list
    };
    language.pick(
        format!(
            "{column} is a column of {} tables: {list}. Which table do you mean?",
            tables.len()
        ),
        format!(
            "{column} je stĺpec viacerých tabuliek ({}): {list}. Ktorú tabuľku myslíte?",
            tables.len()
        ),
        format!(
            "{column} je sloupec více tabulek ({}): {list}. Kterou tabulku myslíte?",
            tables.len()
        ),
    )
}

/// For a name that fits nothing.
pub(super) fn no_such_table(
    language: Language,
    phrase: &str,
    nearest: &[String],
    names: &Names,
) -> String {
    let phrase = code(phrase);
    let lead = language.pick(
        format!("I know no table or column called {phrase}."),
        format!("Nepoznám tabuľku ani stĺpec s názvom {phrase}."),
        format!("Neznám tabulku ani sloupec s názvem {phrase}."),
    );
    if nearest.is_empty() {
        let works = language.pick(
            "These questions would work:",
            "Fungovali by napríklad tieto otázky:",
            "Fungovaly by například tyto otázky:",
        );
        return format!("{lead} {works}\n\n{}", suggestions(language, names));
    }
    let nearest_lead = language.pick(
        "The nearest names are:",
        "Najbližšie názvy sú:",
        "Nejbližší názvy jsou:",
    );
    format!("{lead} {nearest_lead}\n\n{}", numbered(language, nearest))
}

/// For a tool that failed.
pub(super) fn failed(language: Language, failure: &Failure) -> String {
    let error = text(&failure.error);
    let lead = language.pick(
        format!("I could not look that up: {error}"),
        format!("Nepodarilo sa mi to zistiť: {error}"),
        format!("Nepodařilo se mi to zjistit: {error}"),
    );
    if failure.candidates.is_empty() {
        lead
    } else {
        format!("{lead}\n\n{}", numbered(language, &failure.candidates))
    }
}

fn numbered(language: Language, tables: &[String]) -> String {
    let mut lines: Vec<String> = (1..)
        .zip(tables.iter().take(MAX_CHOICES))
        .map(|(number, table)| format!("{number}. {}", code(table)))
        .collect();
    if tables.len() > MAX_CHOICES {
        lines.push(format!("\n{}", language.more(tables.len() - MAX_CHOICES)));
    }
    lines.join("\n")
}

/// Three questions that work here, with names of this catalog.
fn suggestions(language: Language, names: &Names) -> String {
    let Examples { fact, dimension } = Examples::of(names);
    let questions = language.pick(
        [
            format!("Describe {fact}"),
            format!("Where does {fact} come from?"),
            format!("What breaks if {dimension} changes?"),
        ],
        [
            format!("Popíš {fact}"),
            format!("Odkiaľ pochádza {fact}?"),
            format!("Čo sa pokazí, ak sa zmení {dimension}?"),
        ],
        [
            format!("Popiš {fact}"),
            format!("Odkud pochází {fact}?"),
            format!("Co se rozbije, když se změní {dimension}?"),
        ],
    );
    questions.map(|question| format!("- {question}")).join("\n")
}

/// Tables of this catalog to make examples of.
struct Examples {
    fact: String,
    dimension: String,
}

// === impl Examples ===

impl Examples {
    fn of(names: &Names) -> Self {
        let first = |kind: &str| names.tables.iter().find(|table| table.kind == kind);
        let any = names.tables.first();
        let name = |table: Option<&super::super::results::ListedTable>| {
            table
                .or(any)
                .map_or_else(|| "table_name".to_owned(), |table| plain(&table.name))
        };
        Self {
            fact: name(first("FACT").or(first("VIEW"))),
            dimension: name(first("DIMENSION").or(names.tables.last())),
        }
    }
}
