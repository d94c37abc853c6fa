use super::*;

fn read(text: &str) -> Question {
    Question::read(text, None, |_| false)
}

fn intent(text: &str) -> Option<Intent> {
    read(text).intent
}

/// Each question with what it asks for. Names are nonsense, so that nothing but the other words can
/// tell.
fn assert_intents(cases: &[(&str, Intent)]) {
    for (text, expected) in cases {
        assert_eq!(intent(text).as_ref(), Some(expected), "{text}");
    }
}

#[test]
fn lists() {
    use Intent::{List, Schemas};
    assert_intents(&[
        ("List all tables", List(None)),
        ("what tables are there?", List(None)),
        ("Show me everything", List(None)),
        ("tables", List(None)),
        ("which fact tables do we have?", List(Some(Kind::Fact))),
        ("list dimensions", List(Some(Kind::Dimension))),
        ("Show views in schema xyzzy", List(Some(Kind::View))),
        ("list sources", List(Some(Kind::Source))),
        ("which schemas exist?", Schemas),
        ("list tables by schema", List(None)),
        ("Aké tabuľky máme?", List(None)),
        ("vypis vsetky fakty", List(Some(Kind::Fact))),
        ("Ukáž mi dimenzie", List(Some(Kind::Dimension))),
        ("Jaké pohledy existují?", List(Some(Kind::View))),
        ("seznam tabulek", List(None)),
        ("zoznam tabuliek v schéme xyzzy", List(None)),
        ("jaká jsou schémata?", Schemas),
    ]);
}

#[test]
fn descriptions() {
    let describe = |aspects: &[Aspect]| Intent::Describe(aspects.to_vec());
    assert_intents(&[
        ("Describe xyzzy", describe(&[])),
        ("tell me more about the table xyzzy", describe(&[])),
        ("show xyzzy", describe(&[])),
        ("popíš xyzzy", describe(&[])),
        ("čo je xyzzy", describe(&[])),
        ("and its columns?", describe(&[Aspect::Columns])),
        (
            "what columns does xyzzy have?",
            describe(&[Aspect::Columns]),
        ),
        ("what does xyzzy contain?", describe(&[Aspect::Columns])),
        (
            "what does the table xyzzy contain?",
            describe(&[Aspect::Columns]),
        ),
        ("Aké stĺpce má tabuľka xyzzy?", describe(&[Aspect::Columns])),
        ("jake sloupce ma xyzzy", describe(&[Aspect::Columns])),
        ("čo obsahuje tabuľka xyzzy", describe(&[Aspect::Columns])),
        ("who owns xyzzy?", describe(&[Aspect::Owner])),
        ("kto je zodpovedný za xyzzy?", describe(&[Aspect::Owner])),
        ("kdo vlastní xyzzy", describe(&[Aspect::Owner])),
        (
            "How often is xyzzy refreshed?",
            describe(&[Aspect::Refresh]),
        ),
        ("when was xyzzy last changed?", describe(&[Aspect::Refresh])),
        ("ako často sa obnovuje xyzzy", describe(&[Aspect::Refresh])),
        ("kdy se aktualizuje xyzzy", describe(&[Aspect::Refresh])),
        ("what is the grain of xyzzy", describe(&[Aspect::Grain])),
        ("what is one row of xyzzy?", describe(&[Aspect::Grain])),
        ("primary key of xyzzy", describe(&[Aspect::Key])),
        ("aký je primárny kľúč xyzzy", describe(&[Aspect::Key])),
        (
            "who owns xyzzy and when is it refreshed",
            describe(&[Aspect::Owner, Aspect::Refresh]),
        ),
    ]);
}

#[test]
fn relationships() {
    use Direction::{Both, Down, Up};
    use Intent::{Reference, Relate};
    assert_intents(&[
        ("How are xyzzy and plugh related?", Relate),
        ("how do I join xyzzy with plugh", Relate),
        ("path from xyzzy to plugh", Relate),
        ("which key should I use to join xyzzy and plugh", Relate),
        ("Ako súvisí xyzzy s plugh?", Relate),
        ("jak propojit xyzzy a plugh", Relate),
        ("vzťah medzi xyzzy a plugh", Relate),
        ("what references xyzzy?", Reference(Down)),
        ("which tables are referenced by xyzzy?", Reference(Up)),
        ("what does xyzzy reference?", Reference(Up)),
        ("foreign keys of xyzzy", Reference(Both)),
        ("čo odkazuje na xyzzy", Reference(Down)),
        ("na čo odkazuje xyzzy", Reference(Up)),
        ("ktoré tabuľky odkazujú na xyzzy?", Reference(Down)),
        ("na které tabulky odkazuje xyzzy", Reference(Up)),
    ]);
}

#[test]
fn searches() {
    for text in [
        "which columns contain xyzzy?",
        "find xyzzy",
        "*_xyzzy",
        "show columns like *_xyzzy",
        "columns with xyzzy in their names",
        "which tables have a column xyzzy?",
        "which tables have xyzzy?",
        "where is xyzzy",
        "what contains xyzzy?",
        "how many columns contain xyzzy?",
        "kde je xyzzy",
        "kde nájdem xyzzy?",
        "ktoré stĺpce obsahujú xyzzy",
        "v ktorých tabuľkách sa nachádza xyzzy",
        "které sloupce obsahují xyzzy",
        "najdi sloupce s xyzzy",
    ] {
        assert_eq!(intent(text), Some(Intent::Search), "{text}");
    }
}

#[test]
fn lineage_looks_the_way_the_words_say() {
    use Direction::{Both, Down, Up};
    let cases = [
        ("Where does xyzzy come from?", Up),
        ("where does the data in xyzzy come from", Up),
        ("what feeds xyzzy?", Up),
        ("what does xyzzy depend on?", Up),
        ("what is xyzzy built from?", Up),
        ("how is xyzzy calculated", Up),
        ("which tables does xyzzy use?", Up),
        ("upstream of xyzzy", Up),
        ("sources of xyzzy", Up),
        ("what is the origin of xyzzy", Up),
        ("what is xyzzy affected by?", Up),
        ("odkiaľ pochádza xyzzy?", Up),
        ("odkial?", Up),
        ("z čoho vzniká xyzzy", Up),
        ("od čoho závisí xyzzy", Up),
        ("na čem závisí xyzzy", Up),
        ("odkud pochází xyzzy", Up),
        ("zdroje pre xyzzy", Up),
        ("what breaks if xyzzy changes?", Down),
        ("what happens if I drop xyzzy", Down),
        ("what depends on xyzzy?", Down),
        ("what is built from xyzzy?", Down),
        ("what does xyzzy feed?", Down),
        ("what is affected by xyzzy?", Down),
        ("impact of changing xyzzy", Down),
        ("what would a change of xyzzy affect?", Down),
        ("where is xyzzy used", Down),
        ("who uses xyzzy?", Down),
        ("downstream of xyzzy", Down),
        ("čo ovplyvní xyzzy", Down),
        ("čo sa pokazí, ak sa zmení xyzzy?", Down),
        ("čo závisí od xyzzy", Down),
        ("kde sa používa xyzzy", Down),
        ("co se rozbije, když se změní xyzzy", Down),
        ("co ovlivní změna xyzzy", Down),
        ("co závisí na xyzzy", Down),
        ("lineage of xyzzy", Both),
        ("upstream and downstream of xyzzy", Both),
    ];
    for (text, direction) in cases {
        assert_eq!(intent(text), Some(Intent::Lineage(direction)), "{text}");
    }
}

#[test]
fn counts() {
    use Counted::{Columns, Tables, Unsaid};
    use Intent::{Count, Rows};
    assert_intents(&[
        ("How many tables are there?", Count(Tables(None))),
        ("number of fact tables", Count(Tables(Some(Kind::Fact)))),
        ("how many columns does xyzzy have", Count(Columns)),
        ("how many?", Count(Unsaid)),
        ("Koľko je tabuliek?", Count(Tables(None))),
        ("kolko dimenzii mame", Count(Tables(Some(Kind::Dimension)))),
        ("kolik sloupců má xyzzy", Count(Columns)),
        ("how many rows does xyzzy have", Rows),
        ("how many xyzzy do we have?", Rows),
        ("koľko riadkov má xyzzy", Rows),
    ]);
}

#[test]
fn talk() {
    use Intent::{AcceptThanks, Greet, Help, Introduce, TakeLeave};
    assert_intents(&[
        ("Hello!", Greet),
        ("dobrý deň", Greet),
        ("Ahoj", Greet),
        ("thanks a lot", AcceptThanks),
        ("ďakujem", AcceptThanks),
        ("děkuji", AcceptThanks),
        ("bye", TakeLeave),
        ("help", Help),
        ("What can you do?", Help),
        ("čo vieš?", Help),
        ("co umíš?", Help),
        ("co dokážeš", Help),
        ("What are you?", Introduce),
        ("are you ChatGPT?", Introduce),
        ("kto si?", Introduce),
        ("si jazykový model?", Introduce),
        ("kdo jsi", Introduce),
    ]);
}

#[test]
fn other_questions_are_not_understood() {
    for text in [
        "",
        "?",
        "What is the weather in Prague?",
        "tell a joke",
        "koľko je hodín v Tokiu",
        "sprav mi kávu",
        "SELECT xyzzy",
    ] {
        let intent = intent(text);
        assert!(
            matches!(intent, None | Some(Intent::Rows)),
            "{text}: {intent:?}"
        );
    }
}

#[test]
fn words_next_to_each_other_are_one_mention() {
    let texts = |text: &str| -> Vec<String> {
        read(text)
            .mentions
            .into_iter()
            .map(|mention| mention.text)
            .collect()
    };
    assert_eq!(
        texts("describe purchase order item"),
        ["purchase order item"]
    );
    assert_eq!(
        texts("how is purchase order related to supplier"),
        ["purchase order", "supplier"]
    );
    assert_eq!(texts("fact_a dim_b"), ["fact_a", "dim_b"]);
    assert_eq!(texts("supplier, plant"), ["supplier", "plant"]);
    assert_eq!(texts("objednávka a dodávateľ"), ["objednávka", "dodávateľ"]);
}

#[test]
fn what_goes_on_and_what_is_chosen() {
    assert!(read("what about supplier?").says(Sign::GoesOn));
    assert!(read("a stĺpce?").says(Sign::GoesOn));
    assert!(read("and its columns?").says(Sign::RefersBack));
    assert_eq!(read("the second one").choice, Some(1));
    assert_eq!(read("druhá").choice, Some(1));
    assert_eq!(read("1").choice, Some(0));
    assert_eq!(read("áno").choice, Some(0));
    assert_eq!(read("describe the first supplier").choice, None);
}
