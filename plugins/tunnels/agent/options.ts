import { parseArgs } from 'node:util';

import { packageVersion } from './version.ts';

/** An HTTP service that requests may be relayed to. */
export interface TargetOptions {
    url: URL;
    /** The lowest that is healthy is taken. */
    priority: number;
    /** The share of the requests among those of one priority. */
    weight: number;
}

/** What `llm-tunnel` is asked to do. */
export interface AgentOptions {
    /** Where the API is; a path in front of `/api` stands in it. */
    url: URL;
    token: string;
    tunnelId: string;
    /** None only where the tunnel's endpoints are followed. */
    targets: TargetOptions[];
    /** Follow the endpoints of the tunnel, and use the targets only while it has none. */
    isManaged: boolean;
    /** End with the connection instead of connecting again. */
    isOnce: boolean;
}

/** What cannot be done as it was asked; the message is for the person who asked. */
export class UsageError extends Error {}

export const usage = `llm-tunnel ${packageVersion()}: makes an HTTP service on this machine reachable through the API.

  llm-tunnel --url <API> --token <token> --target <service> [--target <service> …] [--once]
  llm-tunnel --url <API> --token <token> --managed [--target <service> …] [--once]

  --url     where the API is, as https://api.example.com
  --token   the token of the tunnel, tun_…; or in the environment as LLM_TUNNEL_TOKEN
  --target  where requests go, as http://localhost:11434; several are written as
            http://localhost:11434,priority=1,weight=2 : the lowest priority that is healthy
            is used, and among equals each gets a share by its weight. An endpoint of the tunnel
            at the same address says which priority and weight it has instead
  --managed follow the endpoints of the tunnel: whoever may change the tunnel chooses which
            addresses this machine asks, so only among people you trust. --target is then what
            is used while the tunnel has no endpoints
  --once    end when the connection is lost instead of connecting again
  --help    this text

It ends with 0 when asked to stop, 2 for wrong usage, 3 when the token is refused, 4 when another
agent has taken over or the tunnel is stopped, 5 when the network is lost (only with --once).
`;

/** @throws UsageError */
export function readOptions(args: string[], environment: NodeJS.ProcessEnv): AgentOptions | 'help' {
    const values = parse(args);
    if (values.help) return 'help';
    const token = values.token ?? environment.LLM_TUNNEL_TOKEN;
    if (values.url === undefined) throw new UsageError('--url is missing: where is the API?');
    if (!token) throw new UsageError('--token is missing, and LLM_TUNNEL_TOKEN is not set');
    const { target = [], managed: isManaged = false } = values;
    if (target.length === 0 && !isManaged) {
        throw new UsageError('--target is missing: where should requests go? Or --managed, for where the tunnel says');
    }
    const targets = target.map(readTarget);
    if (new Set(targets.map(({ url }) => url.href)).size < targets.length) {
        throw new UsageError('--target names the same service twice');
    }
    return {
        url: readUrl('--url', values.url),
        token,
        tunnelId: tunnelIdOf(token),
        targets,
        isManaged,
        isOnce: values.once ?? false,
    };
}

function parse(args: string[]) {
    const text = { type: 'string' } as const;
    const flag = { type: 'boolean' } as const;
    try {
        const options = {
            url: text,
            token: text,
            target: { ...text, multiple: true },
            managed: flag,
            once: flag,
            help: flag,
        } as const;
        return parseArgs({ args, options, strict: true, allowPositionals: false }).values;
    } catch (error) {
        throw new UsageError(error instanceof Error ? error.message : String(error));
    }
}

/** The token says whose it is: `tun_<tenant's ULID><tunnel's ULID>_<secret>`. */
function tunnelIdOf(token: string): string {
    const [, id] = /^tun_[0-9A-HJKMNP-TV-Z]{26}([0-9A-HJKMNP-TV-Z]{26})_/.exec(token) ?? [];
    if (id === undefined) throw new UsageError('--token is not the token of a tunnel: those begin with tun_');
    return `tun_${id}`;
}

function readTarget(text: string): TargetOptions {
    const [url = '', ...settings] = text.split(',');
    const target = { url: readUrl('--target', url), priority: 1, weight: 1 };
    for (const setting of settings) {
        const [, name, value] = /^(priority|weight)=(\d{1,4})$/.exec(setting.trim()) ?? [];
        if (name === undefined || value === undefined || Number(value) < 1) {
            throw new UsageError(`--target: ${setting} is neither priority=… nor weight=…, from 1 to 9999`);
        }
        Object.assign(target, { [name]: Number(value) });
    }
    return target;
}

function readUrl(option: string, text: string): URL {
    if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
        throw new UsageError(`${option}: ${text} is not a URL like http://localhost:11434`);
    }
    const url = serviceUrl(text);
    if (url === null) throw new UsageError(`${option}: a URL without user, query and fragment is needed`);
    return url;
}

/** Null: it is not the address of an HTTP service, or says more than that. */
export function serviceUrl(text: string): URL | null {
    const url = URL.canParse(text) ? new URL(text) : null;
    if (url === null || !/^https?:$/.test(url.protocol)) return null;
    return url.username === '' && url.password === '' && url.search === '' && url.hash === '' ? url : null;
}
