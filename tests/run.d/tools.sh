# shellcheck shell=bash
# What the stages of tests/run need, installed by name if it is missing. Sourced by tests/run; each `need_…` is cheap
# when there is nothing to do.

deny_version=0.20.2
grpcurl_version=v1.9.4

# Prints a line for the reader, whatever happens to the output of the stage.
say() {
  printf '   %s\n' "$*" >&3
}

die() {
  printf 'tests/run: %s\n' "$*" >&2
  exit 1
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo -n "$@"
  else
    printf 'tests/run: neither root nor sudo, cannot run: %s\n' "$*" >&2
    return 1
  fi
}

# Debian packages. The lists of packages are fetched only if an installation needs them.
install_packages() {
  command -v apt-get >/dev/null || die "please install, with the packages of this system: $*"
  say "installing $* with apt-get"
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get --option DPkg::Lock::Timeout=300 install --yes
    --no-install-recommends "$@")
  as_root "${install[@]}" || { as_root apt-get update && as_root "${install[@]}"; } ||
    die "apt-get could not install $*"
}

need_command() { # COMMAND PACKAGE
  command -v "$1" >/dev/null || install_packages "$2"
  command -v "$1" >/dev/null || die "$1 is still missing after $2 was installed"
}

# The server's programs. Debian keeps them out of the PATH, a folder for each version.
need_postgres() {
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || install_packages postgresql
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || die "initdb is still missing after postgresql was installed"
}

need_rust() {
  command -v cargo >/dev/null || PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
  command -v cargo >/dev/null || die "cargo is missing: install Rust with rustup, https://rustup.rs"
  need_command cc gcc
}

need_deny() {
  need_rust
  export PATH=$work/cargo/bin:$PATH
  [[ $("$work/cargo/bin/cargo-deny" --version 2>/dev/null) == "cargo-deny $deny_version" ]] && return
  say "building cargo-deny $deny_version, once"
  # Unoptimized: it reads one small tree, and takes far less time to run than to build.
  CARGO_PROFILE_DEV_DEBUG=0 cargo install cargo-deny --version "$deny_version" --locked --debug --root "$work/cargo"
}

# Python with the packages of tests/python/requirements.txt. Sets $python.
need_python() {
  python=$work/python/bin/python
  local requirements=$root/tests/python/requirements.txt
  cmp --silent "$requirements" "$work/python/installed.txt" && "$python" -c '' 2>/dev/null && return
  need_command python3 python3
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    die "python3 is older than 3.11: $(python3 --version)"
  python3 -c 'import venv, ensurepip' 2>/dev/null || install_packages python3-venv
  say "installing the Python packages of tests/python/requirements.txt"
  python3 -m venv --clear "$work/python"
  "$python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
  cp "$requirements" "$work/python/installed.txt"
}

# dbt with the packages of tests/python/dbt-requirements.txt, apart from the others: it wants its own versions. Sets $dbt.
need_dbt() {
  dbt=$work/dbt/bin/dbt
  local requirements=$root/tests/python/dbt-requirements.txt
  cmp --silent "$requirements" "$work/dbt/installed.txt" && [[ -x $dbt ]] && return
  need_command python3 python3
  say "installing the Python packages of tests/python/dbt-requirements.txt"
  python3 -m venv --clear "$work/dbt"
  "$work/dbt/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary=:all: \
    --requirement "$requirements"
  cp "$requirements" "$work/dbt/installed.txt"
}

# The targets of tests/fuzz, in a folder of their own as all of their code is compiled in another way: with counters at every
# branch, which libFuzzer reads to see what an input reached. They are LLVM's, and stable Rust passes them on. The target is
# named so that build scripts and macros, which run here and now, go without. Sets $fuzzers.
need_fuzzers() {
  need_rust
  need_command c++ g++
  local host
  host=$(rustc --version --verbose | sed -n 's/^host: //p')
  fuzzers=$target/fuzz/$host/fuzz
  RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares" \
    cargo build --locked --package dragoman-fuzz --profile fuzz --target "$host" --target-dir "$target/fuzz"
}

need_node_command() {
  need_command node nodejs
  need_command npm npm
  node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' || die "node is older than 18: $(node --version)"
}

# Installs the npm packages of a folder of the tests, exactly, unless they are there.
install_npm() { # FOLDER INTO [OPTION…]
  local lock=$root/$1/package-lock.json into=$2
  cmp --silent "$lock" "$into/installed.json" && command -v node >/dev/null && return
  need_node_command
  say "installing the npm packages of $1/package.json"
  rm -rf "$into" && mkdir -p "$into"
  cp "$root/$1/package.json" "$lock" "$into/"
  npm ci --prefix "$into" --no-audit --no-fund "${@:3}"
  cp "$lock" "$into/installed.json"
}

# Node with the packages of tests/package.json. Sets $node_modules.
need_node() {
  node_modules=$work/npm/node_modules
  install_npm tests "$work/npm"
}

# MCP servers from npm, those of tests/mcp/package.json. Sets $mcp_node_modules. They are not with the other packages
# because they bring many, most of which nobody here needs.
need_mcp_servers() {
  mcp_node_modules=$work/mcp/node_modules
  install_npm tests/mcp "$work/mcp" --omit=optional
}

# Sets $grpcurl.
need_grpcurl() {
  grpcurl=$work/go/bin/grpcurl
  [[ -x $grpcurl && $(cat "$work/go/grpcurl.version" 2>/dev/null) == "$grpcurl_version" ]] && return
  command -v go >/dev/null || PATH=/usr/local/go/bin:$PATH
  need_command go golang-go
  say "building grpcurl $grpcurl_version, once"
  GOBIN=$work/go/bin go install "github.com/fullstorydev/grpcurl/cmd/grpcurl@$grpcurl_version" ||
    die "go could not build grpcurl; Go 1.25 or newer can, and 1.21 can fetch it; this is $(go version)"
  printf '%s\n' "$grpcurl_version" >"$work/go/grpcurl.version"
}

# The Python code of the schema, in $work/schema.
need_schema() {
  need_python
  rm -rf "$work/schema" && mkdir -p "$work/schema"
  "$python" -m grpc_tools.protoc --proto_path=proto --python_out="$work/schema" --pyi_out="$work/schema" \
    --grpc_python_out="$work/schema" dragoman/chat/v1/chat.proto
}

# The server that foreign clients talk to. Sets $dragoman.
need_dragoman() {
  need_rust
  cargo build --locked --bin dragoman
  dragoman=$target/debug/dragoman
  [[ -x $dragoman ]] || die "cargo build left no $dragoman"
}
