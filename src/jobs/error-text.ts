import { catalogue } from '../http/errors.ts';

const LONGEST = 300;
const OWN_ID = /^[a-z]+_[0-9A-HJKMNP-TV-Z]{26}$/;
const OWN_MESSAGES: ReadonlySet<string> = new Set(Object.values(catalogue).map(({ message }) => message));

/** What may be a secret: addresses with all that is in them, what is named as one, and long runs that are no words. */
const SECRETS: [pattern: RegExp, put: (found: string, name: string) => string][] = [
    [/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, () => '[url]'],
    [/\b(authorization|bearer|password|secret|token|key)\b["']?\s*[:= ]\s*\S+/gi, (_found, name) => `${name} […]`],
    [/[^\s@"'<>]+@[^\s@"'<>]+/g, () => '[address]'],
    [/[\w+/=.-]{20,}/g, (found) => (isWord(found) ? found : '[…]')],
];

/** Why a job has failed, in one line: in the words of the catalogue, or of what kind it is and what it said first. */
export function errorText(message: string, trace: string | undefined): string {
    if (OWN_MESSAGES.has(message)) return message;
    const [first = ''] = message.split('\n', 1);
    const kind = /^(?:Uncaught )?([A-Za-z]*Error)\b/.exec(trace ?? '')?.[1] ?? 'Error';
    return `${kind}: ${withoutSecrets(first)}`.slice(0, LONGEST);
}

const withoutSecrets = (text: string): string =>
    SECRETS.reduce((rest, [pattern, put]) => rest.replace(pattern, put), text);

const isWord = (text: string): boolean => OWN_ID.test(text) || /^(?:[A-Z_]+|[a-z-]+)$/.test(text);
