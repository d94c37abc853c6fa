//! Answers of Anthropic's messages, from the bytes on the connection to the events of the model.

#![no_main]

use dragoman::model::fuzzing::Api;
use dragoman_fuzz::check_answer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| check_answer(Api::Anthropic, bytes));
