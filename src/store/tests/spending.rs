use super::*;

on_both![
    tokens_add_up_by_subject_and_day,
    what_was_spent_is_still_known_after_a_restart,
];

const TODAY: Day = Day(20_000);
const TOMORROW: Day = Day(20_001);

async fn tokens_add_up_by_subject_and_day() {
    let place = Place::new().await;
    let store = &place.store;
    let (ann, bob) = (subject("ann"), subject("bob"));
    assert_eq!(store.spend(&ann, TODAY, 0).await.unwrap(), 0);
    assert_eq!(store.spend(&ann, TODAY, 5).await.unwrap(), 5);
    assert_eq!(store.spend(&ann, TODAY, 7).await.unwrap(), 12);
    assert_eq!(store.spend(&ann, TODAY, 0).await.unwrap(), 12);
    assert_eq!(store.spend(&bob, TODAY, 0).await.unwrap(), 0);
    assert_eq!(store.spend(&ann, TOMORROW, 1).await.unwrap(), 1);
}

async fn what_was_spent_is_still_known_after_a_restart() {
    let place = Place::new().await;
    let ann = subject("ann");
    place.store.spend(&ann, TODAY, 5).await.unwrap();
    place.store.close().await;
    let config = match &place.server {
        Some(server) => server.config(),
        None => Config::Sqlite(place.path()),
    };
    let store = Store::open(&config, generous(), &Sessions::default())
        .await
        .unwrap();
    assert_eq!(store.spend(&ann, TODAY, 0).await.unwrap(), 5);
}

fn subject(name: &str) -> Subject {
    Subject::from_store(name)
}
