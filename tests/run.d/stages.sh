# shellcheck shell=bash
# The stages of tests/run, from the cheapest to the dearest: a name, one sentence, which lines of its output are worth
# showing when all went well, and the function `stage_NAME`, which fails by its exit code. Sourced after tools.sh.

stages=()
extra_stages=() # run only when they are named
declare -A about=() telling=() takes_options=()

stage() { # NAME SENTENCE [PATTERN]
  stages+=("$1")
  about[$1]=$2
  telling[$1]=${3:-}
}

extra_stage() { # NAME SENTENCE [PATTERN]
  extra_stages+=("$1")
  about[$1]=$2
  telling[$1]=${3:-}
}

stage fmt "the Rust code is formatted (rustfmt)"
stage_fmt() {
  need_rust
  cargo fmt --all --check -- --color never
}

stage scripts "shell, Python and Node scripts are clean (shellcheck, ruff, node --check)"
stage_scripts() {
  need_command shellcheck shellcheck
  need_python
  need_node
  # tests/run brings tests/run.d with it: those files are no programs of their own.
  shellcheck --external-sources tests/run .ci/run
  "$python" -m ruff check --no-cache --config .config/ruff.toml tests
  "$python" -m ruff format --no-cache --check --config .config/ruff.toml tests
  local script
  for script in tests/browser/*.mjs; do
    node --check "$script"
  done
}

stage clippy "no lint of Cargo.toml and .clippy.toml speaks up, in product and tests (clippy)"
stage_clippy() {
  need_rust
  cargo clippy --all-targets --locked -- -D warnings
}

stage docs "the API documentation builds without a warning or a broken link (rustdoc)"
stage_docs() {
  need_rust
  RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --locked
}

stage deny "bans, licences and sources of all dependencies (cargo-deny; advisories need a database, see .cargo/deny.toml)"
stage_deny() {
  need_deny
  cargo deny --locked check bans licenses sources
}

stage proto "the schema keeps buf's STANDARD rules and compiles for Python (buf, protoc)"
stage_proto() {
  need_node
  "$node_modules/.bin/buf" lint proto
  "$node_modules/.bin/buf" build proto --output /dev/null
  need_schema
  PYTHONPATH=$work/schema "$python" -c 'from dragoman.chat.v1 import chat_pb2_grpc as chat; chat.ChatStub; chat.ChatServicer'
}

stage test "unit and integration tests in Rust, those too that need more than the toolchain (cargo test)" '^test result'
stage_test() {
  need_command redis-server redis-server
  need_command redis-cli redis-tools
  need_command openssl openssl
  need_command python3 python3
  need_postgres
  need_dragoman
  cargo test --locked --no-fail-fast -- --include-ignored
}

stage grpc "foreign gRPC clients: grpcurl by reflection, Python's grpcio beside an open WebSocket" '^=+ [0-9].* in '
stage_grpc() {
  need_grpcurl
  need_schema
  need_dragoman
  run_pytest tests/python/test_grpcurl.py tests/python/test_chat_service.py tests/python/test_converse.py \
    tests/python/test_unary.py tests/python/test_approvals.py
}

stage websocket "foreign WebSocket clients: the seed document's tests, the protocol, and what bad input gets" '^=+ [0-9].* in '
stage_websocket() {
  need_schema
  need_dragoman
  run_pytest tests/python/test_protocol.py tests/python/test_delta.py tests/python/test_bad_input.py tests/seed
}

stage catalogs "one mart in every source a catalog can be read from, a real dbt among them: the same answers" '^=+ [0-9].* in '
stage_catalogs() {
  need_schema
  need_dbt
  need_postgres
  need_dragoman
  export DBT=$dbt
  run_pytest tests/python/test_catalogs.py tests/python/test_collibra.py
}

stage mcp "tools of MCP servers, as child processes and over HTTP: one that misbehaves, two that others wrote" '^=+ [0-9].* in '
stage_mcp() {
  need_mcp_servers
  need_schema
  need_dragoman
  MCP_NODE_MODULES=$mcp_node_modules run_pytest tests/python/test_mcp.py
}

stage models "models that are real servers: llama.cpp with random weights; every fault of the mock model, as a table" '^[|]|^=+ [0-9].* in '
stage_models() {
  need_llama
  need_schema
  need_dragoman
  LLAMA=$llama LLAMA_MODELS=$llama_models run_pytest tests/python/test_models.py
  cargo test --locked --test it -- matrix --nocapture
}

stage browser "in Chromium: the page, Mermaid on every diagram, and the seed document's React hook and reconnecting client, also when processes die" '^(ok|✔) '
stage_browser() {
  need_node
  need_command chromium chromium
  need_command redis-server redis-server
  need_dragoman
  export DRAGOMAN=$dragoman NODE_PATH=$node_modules
  node tests/browser/serve.mjs tests/browser/page.mjs
  node --test-reporter=spec tests/browser/mermaid.mjs
  node tests/browser/page.kill.mjs
  node tests/browser/page.approval.mjs
  node tests/browser/page.cluster.mjs
  node --test-reporter=spec tests/browser/seed.mjs
}

stage load "1,000 sessions at once ask three questions each, every frame is checked, memory comes back" '^[|]'
stage_load() {
  need_python
  need_dragoman
  DRAGOMAN=$dragoman PYTHONPATH=$root/tests/python PYTHONDONTWRITEBYTECODE=1 "$python" tests/load/sessions.py
}

takes_options[fuzz]=yes
stage fuzz "the decoders of models take whatever comes, for a minute, and keep their promises (libFuzzer)" '^[a-z_]+: '
stage_fuzz() {
  local seconds=60 name
  if ((${#options[@]})); then
    [[ ${#options[@]} == 2 && ${options[0]} == --seconds && ${options[1]} =~ ^[1-9][0-9]*$ ]] ||
      die "the stage fuzz takes --seconds N, for all its targets together, and nothing else"
    seconds=${options[1]}
  fi
  need_fuzzers
  local targets=(sse openai anthropic tool_calls)
  for name in "${targets[@]}"; do
    run_fuzzer "$name" $(((seconds + ${#targets[@]} - 1) / ${#targets[@]}))
  done
}

# Starts from the inputs in the tree and those that earlier runs found worth keeping.
run_fuzzer() { # TARGET SECONDS
  local corpus=$target/fuzz/corpus/$1 found=$target/fuzz/found/$1
  rm -rf "$found" && mkdir -p "$corpus" "$found"
  local command=("$fuzzers/$1" -max_len=4096 -timeout=10 -rss_limit_mb=1024)
  if "${command[@]}" -max_total_time="$2" -dict=tests/fuzz/words.dict -artifact_prefix="$found/" "$corpus" \
    "tests/fuzz/corpus/$1" >"$found.log" 2>&1; then
    printf '%s: %s, nothing found\n' "$1" "$(grep -oE 'Done [0-9]+ runs in [0-9]+ second' "$found.log" | sed 's/^Done //')s"
    return
  fi
  grep -vE '^#[0-9]+.*(NEW|REDUCE|RELOAD|pulse)' "$found.log"
  local input
  for input in "$found"/*; do
    printf '\n%s: this input breaks a promise:\n' "$1"
    head -c 4096 "$input" | cat -A
    printf '\nIt is %s. Again: %s %s\nOnce it is mended, keep the input in tests/fuzz/corpus/%s.\n' "$input" "$fuzzers/$1" "$input" "$1"
  done
  return 1
}

takes_options[chaos]=yes
stage chaos "processes, connections, disks and clocks break: no message is lost or runs twice, nobody waits for ever" '^[|]'
stage_chaos() {
  need_command redis-server redis-server
  need_command faketime faketime
  need_schema
  need_dragoman
  if ((${#options[@]})); then
    run_chaos "${options[@]}"
  else
    run_pytest tests/chaos/test_rules.py
    run_chaos
  fi
}

run_chaos() { # OPTION…
  DRAGOMAN=$dragoman PYTHONPATH=$work/schema:$root/tests/python PYTHONDONTWRITEBYTECODE=1 "$python" tests/chaos "$@"
}

extra_stage bench "CPU and memory against a bare WebSocket server, bytes, and the log; minutes on a quiet machine" '^[|]|could not'
stage_bench() {
  need_rust
  need_command redis-server redis-server
  need_command taskset util-linux
  cargo bench --locked --bench bench
}

# Runs tests in Python against servers that they start themselves. Whoever runs gRPC and starts processes must tell gRPC to
# let forks alone: in the child it looks after sockets that are closed already, and aborts.
run_pytest() { # PATH…
  GRPC_ENABLE_FORK_SUPPORT=false DRAGOMAN=$dragoman GRPCURL=${grpcurl:-} PYTHONPATH=$work/schema PYTHONDONTWRITEBYTECODE=1 \
    "$python" -m pytest --config-file=.config/pytest.ini --rootdir="$root" "$@"
}
