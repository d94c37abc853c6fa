//! Words for what a catalog has, and for what can be asked of it.

use super::super::Concept::{
    Change, Column, Contain, Depend, Describe, Dimension, Downstream, Effect, Fact, Find, Grain,
    HowMany, Impact, Key, Lineage, List, Named, Origin, Owner, Reference, Refresh, Relation, Row,
    Schema, Source, Table, Upstream, Use, Used, View, WhereFrom,
};
use super::super::Tongue::{Cz, En, Sk, SkCz};
use super::Entry;

pub(super) const ENTRIES: &[Entry] = &[
    (Table, En, "table, tables, entity, entities"),
    (Table, SkCz, "tabulk*, entit*"),
    (Table, Sk, "tabuliek"),
    (Table, Cz, "tabulek, tabulc*"),
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
        "list, lists, listing, show, show me, display, print, enumerate, give, give me, overview, \
         browse",
    ),
    (List, SkCz, "vypis*, zobraz*, ukaz, ukaz mi, ukazte"),
    (List, Sk, "vypíš, ukáž, vymenuj*, zoznam*, prehlad*"),
    (List, Cz, "vypiš, ukaž, vyjmenuj*, seznam*, prehled*"),
    (
        Describe,
        En,
        "describe*, description*, detail*, explain*, structure, definition, define*, info, \
         information, tell me about, tell me more about, tell me more, more about, look like, \
         looks like, meaning, mean, means, document*, purpose, profile, everything about, all \
         about",
    ),
    (
        Describe,
        SkCz,
        "sluzi, slouzi, ucel*, popis*, vysvetl*, detail*, info, informac*, struktur*, vyznam*",
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
        "contain*, include*, hold, holds, mention*, store, stores, stored, have a column, has a \
         column, have the column, have column, with column, with a column, with the column",
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
        "named, called, like, matching, starting with, starts with, ending with, ends with, with \
         name, with the name",
    ),
    (Named, SkCz, "podobn*, nazvan*"),
    (Named, Sk, "s nazvom, zacinajuc*, konciac*"),
    (Named, Cz, "s nazvem, zacinajic*, koncic*"),
    // What is known of a table
    (
        Owner,
        En,
        "own, owns, owned, owner*, ownership, responsible, responsible for, in charge, steward*, \
         maintain*",
    ),
    (Owner, SkCz, "vlastn*, zodpov*, majitel*, spravc*, garant*"),
    (Owner, Cz, "odpovida, odpovedn*, spravuj*"),
    (
        Refresh,
        En,
        "refresh*, update, updates, updated, updating, fresh*, how often, frequency, reload*, \
         loaded, load, up to date, stale, as of, latest",
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
        "relat*, related to, relationship*, join*, join path*, connect*, link*, path, paths, \
         between, combine*, associat*, get from",
    ),
    (Relation, SkCz, "spoj*, vztah*, vazb*, cest*, relac*"),
    (Relation, Sk, "suvis*, prepoj*, medzi, naviaz*, nadvaz*"),
    (Relation, Cz, "souvis*, propoj*, mezi, navaz*"),
    (
        Reference,
        En,
        "referenc*, refer, refers, refer to, refers to, referring, point to, points to, pointing \
         to, foreign key*, fk, fks",
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
        "come from, comes from, came from, coming from, originat*, derive*, built, build, based \
         on, comput*, calculat*, made from, made of, made up of, sourced, fed by, loaded from, \
         filled from, populated from, come, comes",
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
        "feed, feeds, affect*, influenc*, impact, impacts, impacted, drive, drives, populate*, \
         fill, fills",
    ),
    (Effect, SkCz, "plni, naplna, naplnuje, krmi"),
    (
        Impact,
        En,
        "impact of, impact on, the impact, an impact, impact analysis, impact if, effect of, \
         effects of, blast radius, consequence*, break*, broke, broken, fail, fails, what happens, \
         what would happen, goes wrong, damage*",
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
        "change, changes, changed, changing, modify, modifies, modified, drop, drops, dropped, \
         delete*, remove*, rename*, alter*",
    ),
    (Change, SkCz, "zmen*, uprav*, zmaz*, odstran*, vymaz*"),
    (Change, Sk, "premenuj*"),
    (Change, Cz, "prejmenuj*"),
];
