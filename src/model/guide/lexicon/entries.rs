//! The lexicon itself. Words are lower case and without diacritics, which fit a question written either way; a word with
//! diacritics fits only itself. A star is any ending.

use super::Concept::{
    self, About, And, By, Change, Column, Contain, Depend, Describe, Dimension, Downstream, Effect,
    Fact, Farewell, Filler, Find, Grain, Greeting, Have, Help, How, HowMany, Identity, Impact, In,
    Key, Lineage, List, Named, Onto, Ordinal, Origin, Owner, Pronoun, Reference, Refresh, Relation,
    Row, Schema, Source, Table, Thanks, Upstream, Use, Used, View, WhatAbout, When, Where,
    WhereFrom, Which, With, Yes,
};
use super::Tongue::{self, Any, Cz, En, Sk, SkCz};

pub(super) const ENTRIES: &[(Concept, Tongue, &str)] = &[
    // Grammar
    (
        Filler,
        En,
        "the, an, is, are, was, were, be, been, being, does, did, can, could, would, will, should, must, may, you, your, \
         me, my, we, us, our, for, at, there, please, pls, why, any, some, every, each, everything, so, just, want, \
         want to, need, need to, would like, know, let, let me, get, also, then, now, re, ll, ve, ok, okay, well, \
         really, actually, exactly, available, existing, exist, exists, catalog, catalogue, database, data, \
         the data, other, another, only, one, ones, i want, i need, on, who, tell me, tell us, if, but, not, dont, \
         happens, go, goes, a lot, lots, much, very, again, use for, used for, good",
    ),
    (
        Filler,
        Any,
        "do, to, i, by the way, prosim, data, all, no, m, t",
    ),
    (
        Filler,
        SkCz,
        "je, si, mi, nam, vam, by, po, za, pre, pri, sem, len, jen, chcem, chci, potrebuj*, viem, vim, vediet, \
         vedet, mozem, muzu, mozes, muzes, mohol, mohl, mohla, daj, dej, vset*, vsech*, cela, cele, celu, cely, \
         nejak*, existuj*, dostupn*, katalog*, databaz*, dat, udaj*, ze, aby, teda, tedy, tak, potom, prave, vlastne, \
         presne, vobec, vubec, vam, nas, kazd*, co, tu, byt, bude, budu, este, jeste, uz, mame, mas, mate",
    ),
    (
        Filler,
        Sk,
        "čo, čom, su, som, sa, nie, ked, ak, teraz, kto, pozri, mna, ľa, treba",
    ),
    (
        Filler,
        Cz,
        "jsou, jsem, se, ne, kdyz, pokud, ted, kdo, podivej, pro, jestli",
    ),
    (
        Pronoun,
        En,
        "it, its, they, them, their, this, that, these, those, this table, that table, these tables, the table",
    ),
    (
        Pronoun,
        SkCz,
        "ho, jej, jeho, ich, ju, ta tabulka, tu tabulku, ta, tej, toho, tomu, tym, nan, nej, ni",
    ),
    (
        Pronoun,
        Sk,
        "nou, nim, nom, tato, tuto, tejto, touto, tento, tohto, tomto, tato tabulka, tuto tabulku, tejto tabulky, \
         tejto tabulke, touto tabulkou, tam",
    ),
    (
        Pronoun,
        Cz,
        "jeji, ji, nem, teto, tohle, teto tabulky, teto tabulce, touto tabulkou, tohoto, tom, jejich",
    ),
    (And, En, "and, or, versus, vs, plus, as well as"),
    (And, Any, "a"),
    (And, SkCz, "aj, alebo, nebo, ci, i"),
    (With, En, "with"),
    (With, SkCz, "s, so, k, ku, ke"),
    (In, En, "in, of, within, inside, from"),
    (In, SkCz, "v, vo, ve, z, zo, ze, od"),
    (Onto, SkCz, "na"),
    (By, En, "by"),
    (How, En, "how"),
    (How, Sk, "ako"),
    (How, Cz, "jak"),
    (When, En, "when"),
    (When, Sk, "kedy"),
    (When, Cz, "kdy"),
    (Where, En, "where"),
    (Where, SkCz, "kde"),
    (Which, En, "which, what, what kind, what kinds of"),
    (Which, Sk, "ktor*, ake, aky, aka, akych, akej, aku, akeho"),
    (
        Which,
        Cz,
        "kter*, jake, jaky, jaka, jakych, jakou, jaci, jakeho",
    ),
    (Have, En, "have, has, having, got"),
    (Have, SkCz, "ma, mat, mit"),
    (Have, Sk, "maju"),
    (Have, Cz, "maji"),
    (About, En, "about, regarding, concerning"),
    (About, SkCz, "o"),
    (About, Sk, "ohladom, tykaju, tyka"),
    (About, Cz, "ohledne, tykaji"),
    (
        WhatAbout,
        En,
        "what about, how about, and what about, and how about, same for, the same for, and for, now for, and of, and in",
    ),
    (WhatAbout, SkCz, "a co, a pre, a pro"),
    (
        WhatAbout,
        Sk,
        "a čo, čo tak, a čo tak, co takto, to iste pre",
    ),
    (
        WhatAbout,
        Cz,
        "a co treba, co treba, co takhle, totez pro, to same pro",
    ),
    // What a catalog has
    (Table, En, "table, tables, entity, entities"),
    (Table, SkCz, "tabulk*, entit*, tabulc*"),
    (Table, Sk, "tabuliek"),
    (Table, Cz, "tabulek"),
    (Fact, En, "fact, facts, fact table, fact tables"),
    (
        Fact,
        SkCz,
        "fakt, fakty, faktov, faktu, faktova, faktove, faktovych, faktovou, faktova tabulka, \
                  faktove tabulky, faktovych tabuliek, faktovych tabulek",
    ),
    (Dimension, En, "dimension*, dim, dims, dimension table*"),
    (
        Dimension,
        SkCz,
        "dimenz*, dimenzn* tabulk*, dimenzn* tabuliek, dimenzn* tabulek",
    ),
    (View, En, "view, views"),
    (View, Sk, "pohlad*"),
    (View, Cz, "pohled*"),
    (
        Source,
        En,
        "source, sources, source table*, source system*, data source*, raw table*",
    ),
    (
        Source,
        SkCz,
        "zdroj*, zdrojov* tabulk*, zdrojovych tabuliek, zdrojovych tabulek",
    ),
    (Schema, En, "schema, schemas, schemata"),
    (Schema, SkCz, "schem*"),
    (Column, En, "column*, field, fields, attribute*, cols"),
    (Column, Sk, "stlp*"),
    (Column, Cz, "sloup*"),
    (Column, SkCz, "atribut*, polia, poli, pole"),
    (Row, En, "row, rows, record, records, one row, each row"),
    (Row, Sk, "riad*, jeden riadok"),
    (Row, Cz, "radk*, radek, jeden radek"),
    (Row, SkCz, "zaznam*"),
    // What to do with it
    (
        List,
        En,
        "list, lists, listing, show, show me, display, print, enumerate, give, give me, overview, browse",
    ),
    (List, SkCz, "vypis*, zobraz*, ukaz, ukaz mi, ukazte"),
    (List, Sk, "vypíš, ukáž, vymenuj*, zoznam*, prehlad*"),
    (List, Cz, "vypiš, ukaž, vyjmenuj*, seznam*, prehled*"),
    (
        Describe,
        En,
        "describe*, description*, detail*, explain*, structure, definition, define*, info, information, \
         tell me about, tell me more about, tell me more, more about, look like, looks like, meaning, mean, means, \
         document*, purpose, profile, everything about, all about",
    ),
    (
        Describe,
        SkCz,
        "popis*, vysvetl*, detail*, info, informac*, struktur*, vyznam*",
    ),
    (
        Describe,
        Sk,
        "popíš, opis*, povedz*, vsetko o, čo je, čo znamena",
    ),
    (Describe, Cz, "popiš, rekni*, povez*, vsechno o, co znamena"),
    (
        HowMany,
        En,
        "how many, number of, count, count of, total number of, the number of",
    ),
    (HowMany, SkCz, "pocet, poctu"),
    (HowMany, Sk, "kolk*"),
    (HowMany, Cz, "kolik*"),
    (
        Find,
        En,
        "find, search, search for, look for, looking for, lookup, look up, locate",
    ),
    (Find, Sk, "nájdi, najd*, najst, hlada*, vyhlada*"),
    (
        Find,
        Cz,
        "najd*, najit, hleda*, hledej*, vyhleda*, vyhledej*",
    ),
    (
        Contain,
        En,
        "contain*, include*, hold, holds, mention*, store, stores, stored, have a column, has a column, \
         have the column, have column, with column, with a column, with the column",
    ),
    (Contain, SkCz, "obsah*, zahrn*"),
    (
        Contain,
        Sk,
        "ulozen*, nachadz*, maju stlpec, ma stlpec, so stlpcom",
    ),
    (
        Contain,
        Cz,
        "ulozen*, nachaz*, maji sloupec, ma sloupec, se sloupcem",
    ),
    (
        Named,
        En,
        "named, called, like, matching, starting with, starts with, ending with, ends with, with name, with the name",
    ),
    (Named, SkCz, "podobn*, nazvan*"),
    (Named, Sk, "s nazvom, zacinajuc*, konciac*"),
    (Named, Cz, "s nazvem, zacinajic*, koncic*"),
    // What is known of a table
    (
        Owner,
        En,
        "own, owns, owned, owner*, ownership, responsible, responsible for, in charge, steward*, maintain*",
    ),
    (Owner, SkCz, "vlastn*, zodpov*, majitel*, spravc*, garant*"),
    (Owner, Cz, "odpovida, odpovedn*, spravuj*"),
    (
        Refresh,
        En,
        "refresh*, update, updates, updated, updating, fresh*, how often, frequency, reload*, loaded, load, \
         up to date, stale, as of, latest",
    ),
    (
        Refresh,
        SkCz,
        "obnov*, aktualiz*, aktualn*, cerstv*, frekvenc*, nacit*",
    ),
    (Refresh, Sk, "ako casto"),
    (Refresh, Cz, "jak casto"),
    (Grain, En, "grain, granular*, level of detail"),
    (Grain, SkCz, "granul*, zrn*, uroven detail*"),
    (
        Key,
        En,
        "key, keys, primary key, primary keys, pk, unique identifier, identifier, identifies",
    ),
    (Key, Sk, "kluc*, primarn* kluc*"),
    (Key, Cz, "klic*, primarn* klic*"),
    // How tables belong together
    (
        Relation,
        En,
        "relat*, related to, relationship*, join*, join path*, connect*, link*, path, paths, between, combine*, associat*, get from",
    ),
    (Relation, SkCz, "spoj*, vztah*, vazb*, cest*, relac*"),
    (Relation, Sk, "suvis*, prepoj*, medzi, naviaz*, nadvaz*"),
    (Relation, Cz, "souvis*, propoj*, mezi, navaz*"),
    (
        Reference,
        En,
        "referenc*, refer, refers, refer to, refers to, referring, point to, points to, pointing to, foreign key*, fk, fks",
    ),
    (Reference, SkCz, "odkaz*, referenc*, referuj*, ukazuj*"),
    (Reference, Sk, "cudz* kluc*"),
    (Reference, Cz, "ciz* klic*"),
    // Where data comes from and goes to
    (Lineage, En, "lineage, data flow, dataflow, flow, flows"),
    (
        Lineage,
        SkCz,
        "rodokmen*, zavislost*, datov* tok*, tok dat, ovplyvnuj*, ovlivnuj*",
    ),
    (
        Upstream,
        En,
        "upstream, ancestor*, predecessor*, origin, origins, provenance, dependenc*, prerequisite*",
    ),
    (Upstream, Sk, "povod, povodu, povodom"),
    (Upstream, Cz, "puvod, puvodu, puvodem"),
    (
        Downstream,
        En,
        "downstream, descendant*, successor*, dependent*, dependant*",
    ),
    (WhereFrom, En, "whence"),
    (
        WhereFrom,
        Sk,
        "odkial, z čoho, z coho, od čoho, od coho, na com",
    ),
    (WhereFrom, Cz, "odkud, z ceho, od ceho, na cem"),
    (
        Origin,
        En,
        "come from, comes from, came from, coming from, originat*, derive*, built, build, based on, comput*, \
         calculat*, made from, made of, made up of, sourced, fed by, loaded from, filled from, populated from, come, comes",
    ),
    (
        Origin,
        SkCz,
        "vznik*, vytvor*, pocita*, vypocit*, sklada, skladaju, skladaji",
    ),
    (Origin, Sk, "pochadz*, prichadz*, beru"),
    (Origin, Cz, "pochaz*, prichaz*, bere"),
    (Depend, En, "depend*, rely, relies, relying"),
    (Depend, SkCz, "zavis, zavisi, zavisia, zavisl*, zavisej*"),
    (Use, En, "use, uses, using, consume, consumes, reads"),
    (Used, En, "used, consumer*, consumed, consuming"),
    (Used, SkCz, "pouziv*, vyuziv*, pouzit*, konzum*"),
    (
        Effect,
        En,
        "feed, feeds, affect*, influenc*, impact, impacts, impacted, drive, drives, populate*, fill, fills",
    ),
    (Effect, SkCz, "plni, naplna, naplnuje, krmi"),
    (
        Impact,
        En,
        "impact of, impact on, the impact, an impact, impact analysis, impact if, effect of, effects of, blast radius, consequence*, break*, broke, broken, \
         fail, fails, what happens, what would happen, goes wrong, damage*",
    ),
    (
        Impact,
        SkCz,
        "dopad*, nasled*, rozbi*, pokaz*, ovplyvni*, ovlivni*, postihn*, spadn*",
    ),
    (Impact, Sk, "co sa stane, čo sa stane, prestan*"),
    (Impact, Cz, "co se stane, prestan*"),
    (
        Change,
        En,
        "change, changes, changed, changing, modify, modifies, modified, drop, drops, dropped, delete*, remove*, \
         rename*, alter*",
    ),
    (Change, SkCz, "zmen*, uprav*, zmaz*, odstran*, vymaz*"),
    (Change, Sk, "premenuj*"),
    (Change, Cz, "prejmenuj*"),
    // Talk
    (
        Greeting,
        En,
        "hi, hello, hey, good morning, good afternoon, good evening, good day, howdy, greetings",
    ),
    (
        Greeting,
        SkCz,
        "ahoj, ahojte, cau, caute, nazdar, servus, zdravim",
    ),
    (Greeting, Sk, "dobry den, dobre rano, dobry vecer"),
    (Greeting, Cz, "dobrý den, dobré ráno, dobrý večer"),
    (Farewell, En, "bye, goodbye, good bye, see you"),
    (Farewell, Sk, "dovidenia"),
    (Farewell, Cz, "nashledanou, na shledanou"),
    (
        Thanks,
        En,
        "thank*, thank you, thanks, thx, cheers, great, perfect, nice, awesome",
    ),
    (Thanks, SkCz, "diky, dik, super, skvel*"),
    (Thanks, Sk, "dakuj*, vdaka"),
    (Thanks, Cz, "dekuj*"),
    (
        Help,
        En,
        "help, help me, what can you do, what do you do, what can i ask, what can i ask you, how do you work, \
         how does this work, what can you answer, what do you know, capabilities, usage, examples, \
         what questions, what should i ask, how can you help",
    ),
    (
        Help,
        SkCz,
        "pomoc, pomoz*, napoved*, co dokazes, co dovedes, pomoct",
    ),
    (
        Help,
        Sk,
        "co vies, čo vieš, čo dokážeš, co mozem, co sa mozem, na co sa mozem, na čo sa môžem, ako to funguje, \
         ako fungujes, co sa ta mozem, s cim mi, ako mi mozes",
    ),
    (
        Help,
        Cz,
        "co umis, co vsechno umis, co muzu, na co se muzu, na co se te muzu, jak to funguje, jak fungujes, s cim mi",
    ),
    (
        Identity,
        En,
        "who are you, what are you, are you, your name, language model, llm, gpt, chatgpt, gpt 4, which model, what model, \
         what ai, which ai, who made you, robot, artificial intelligence, ai",
    ),
    (
        Identity,
        Sk,
        "kto si, čo si zač, čo si, co si zac, kto ste, si robot, jazykovy model, aky model, aky si model, umela inteligencia",
    ),
    (
        Identity,
        Cz,
        "kdo jsi, co jsi, co jsi zac, kdo jste, jsi robot, jazykový model, jaky model, jaky jsi model, umela inteligence",
    ),
    (Yes, En, "yes, yep, yeah, sure, correct"),
    (Yes, SkCz, "ano, jasne, hej, jo"),
    (Ordinal(1), Any, "1, first, 1st, the first, prv*"),
    (
        Ordinal(2),
        Any,
        "2, second, 2nd, the second, druha, druhu, druhe, druhy",
    ),
    (Ordinal(3), Any, "3, third, 3rd, the third, tret*"),
    (
        Ordinal(4),
        Any,
        "4, fourth, 4th, the fourth, stvrt*, ctvrt*",
    ),
    (
        Ordinal(5),
        Any,
        "5, fifth, 5th, the fifth, piata, piatu, piaty, pata, patou, paty",
    ),
];
