#!/bin/sh
# Installs what the project needs and does not find: its npm packages and redis-server.
# Runs before `npm start` and `npm test`; where nothing is missing it changes nothing and is done at once.
# `sh scripts/setup.sh chromium` also installs the browser that tests of the console need, and `kubectl` what those of the
# manifests need, where it can.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Runs a command as root: as it is for root, through sudo where that needs no password, and not at all otherwise.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif sudo -n true 2>/dev/null; then sudo "$@"
    else return 126
    fi
}

check_node() {
    command -v node >/dev/null 2>&1 || fail 'Node.js is missing: install Node.js 20.19 or newer, then run this again.'
    node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
        fail "Node.js $(node --version) is too old: install Node.js 20.19 or newer, then run this again."
}

# The lock file of the last installation is kept beside the packages; the two differ when the packages are outdated.
install_packages() {
    installed=node_modules/.installed-package-lock.json
    cmp -s package-lock.json "$installed" && return
    say 'installing npm packages (npm ci)'
    # No package needs its install script here, so none gets to run one.
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    cp package-lock.json "$installed"
}

install_redis() {
    command -v redis-server >/dev/null 2>&1 && return
    if command -v apt-get >/dev/null 2>&1; then manager=apt-get; package='redis-server'
    elif command -v apk >/dev/null 2>&1; then manager=apk; package='redis'
    elif command -v dnf >/dev/null 2>&1; then manager=dnf; package='redis'
    elif command -v brew >/dev/null 2>&1; then manager=brew; package='redis'
    else fail 'redis-server is missing and no known package manager was found: install Redis 7.0 or newer, then run this again.'
    fi
    say "installing redis-server ($manager)"
    log=$(mktemp)
    if ! install_with "$manager" >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        rm -f "$log"
        case $manager in
            apt-get) command='sudo apt-get update && sudo apt-get install -y --no-install-recommends redis-server' ;;
            apk) command='sudo apk add redis' ;;
            dnf) command='sudo dnf install -y redis' ;;
            brew) command='brew install redis' ;;
        esac
        fail "$package could not be installed without your help: run \`$command\`, then run this again."
    fi
    rm -f "$log"
    command -v redis-server >/dev/null 2>&1 || fail "$package was installed but redis-server is not on the PATH."
}

install_with() {
    case $1 in
        apt-get)
            as_root apt-get update -q || return
            # The API starts its own redis-server: the distribution's service must neither start now nor at boot.
            as_root env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
                apt-get install -y -q --no-install-recommends redis-server || return
            if command -v systemctl >/dev/null 2>&1; then as_root systemctl disable --now redis-server || true; fi
            ;;
        apk) as_root apk add --no-cache redis ;;
        dnf) as_root dnf install -y redis ;;
        brew) brew install redis ;;
    esac
}

# A command, the package that has it, and whose tests are skipped without it: that it cannot be installed is no failure.
install_for_tests() {
    command -v "$1" >/dev/null 2>&1 && return
    if ! command -v apt-get >/dev/null 2>&1; then
        say "$1 is missing and only apt-get is known to have it: tests of the $3 will be skipped"
        return
    fi
    say "installing $2 (apt-get)"
    log=$(mktemp)
    if ! { as_root apt-get update -q && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "$2"; } >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        say "$2 could not be installed: tests of the $3 will be skipped"
    fi
    rm -f "$log"
}

check_node
install_packages
install_redis
case ${1:-} in
    chromium) install_for_tests chromium chromium console ;;
    kubectl) install_for_tests kubectl kubernetes-client manifests ;;
esac
