/** What an operation takes and gives; an interface of them, by `METHOD /path`, is what a client is made for. */
export interface Operation {
    input: object;
    /** The JSON that it answers with. */
    answer?: unknown;
    /** It may answer with events. */
    streams?: true;
    /** It may answer with something else than JSON. */
    bytes?: true;
}

export interface ClientOptions {
    /** Where the API is, without `/api`. */
    baseUrl: string;
    /** An access token or an API key, or what gives the one to use now. */
    token?: string | (() => string | Promise<string>);
    /** In place of the global `fetch`. */
    fetch?: typeof fetch;
}

/** An event of a stream; `id` is what `last-event-id` takes to go on after it. */
export interface ServerEvent {
    id: string;
    event: string;
    // oxlint-disable-next-line typescript/no-explicit-any -- the form follows from the event's name
    data: any;
}

/** Bytes as `fetch` takes them. */
export type Bytes = string | Blob | ArrayBuffer | Uint8Array<ArrayBuffer>;

/** A refusal: of a request, or as the `error` event of a stream. */
export class ApiError extends Error {
    override readonly name = 'ApiError';
    /** An entry of `GET /api/errors`; `UNREADABLE` where the answer is not the API's. */
    readonly code: string;
    readonly status: number;
    readonly category: string;
    readonly details: Record<string, unknown>;
    readonly suggestion: string;
    readonly requestId: string;
    /** Seconds until another try makes sense. */
    readonly retryAfter: number | undefined;

    constructor(response: Response, error: Partial<ErrorBody>) {
        super(error.message ?? `The server answered with ${response.status}`);
        this.code = error.code ?? 'UNREADABLE';
        this.status = error.statusCode ?? response.status;
        this.category = error.category ?? error.type ?? 'server';
        this.details = error.details ?? {};
        this.suggestion = error.suggestion ?? '';
        this.requestId = error.correlationId ?? response.headers.get('x-request-id') ?? '';
        const wait = response.headers.get('retry-after');
        this.retryAfter = wait === null ? undefined : Number(wait);
    }
}

interface ErrorBody {
    code: string;
    message: string;
    statusCode: number;
    category: string;
    /** The category in OpenAI's form. */
    type: string;
    details: Record<string, unknown>;
    suggestion: string;
    correlationId: string;
}

/** What the input of any operation may have. */
interface Input {
    path?: object;
    query?: object;
    headers?: object;
    body?: unknown;
}

interface Control {
    signal?: AbortSignal;
    /** Of a body that is bytes; a Blob's own unless given. */
    contentType?: string;
}

type Named<Operations, Kind> = {
    [Name in keyof Operations]: Operations[Name] extends Kind ? Name : never;
}[keyof Operations] &
    string;
type Arguments<Taken> = object extends Taken ? [input?: Taken & Control] : [input: Taken & Control];
type Answer<Given> = Given extends { answer: infer Json } ? Json : never;

/** A client by `fetch`, for Node.js and browsers. */
export class ApiClient<Operations extends { [Name in keyof Operations]: Operation }> {
    readonly #options: ClientOptions;

    constructor(options: ClientOptions) {
        this.#options = options;
    }

    /** The answer as JSON, whole. @throws {ApiError} */
    async request<Name extends Named<Operations, { answer: unknown }>>(
        name: Name,
        ...[input]: Arguments<Operations[Name]['input']>
    ): Promise<Answer<Operations[Name]>> {
        const response = await this.#send(name, input);
        return (await response.json()) as Answer<Operations[Name]>;
    }

    /** The answer as events, while they come. @throws {ApiError} Also for an `error` event */
    async *stream<Name extends Named<Operations, { streams: true }>>(
        name: Name,
        ...[input]: Arguments<Operations[Name]['input']>
    ): AsyncGenerator<ServerEvent, void> {
        const response = await this.#send(name, asksForStream(name, input));
        for await (const event of eventsOf(response)) {
            if (event.event === 'error') throw new ApiError(response, event.data.error);
            yield event;
        }
    }

    /** The answer as it comes, for what is not JSON. @throws {ApiError} */
    bytes<Name extends Named<Operations, { bytes: true }>>(
        name: Name,
        ...[input]: Arguments<Operations[Name]['input']>
    ): Promise<Response> {
        return this.#send(name, input);
    }

    async #send(name: string, input: Input & Control = {}): Promise<Response> {
        const { token, baseUrl, fetch: ask = fetch } = this.#options;
        const [method = '', path = ''] = name.split(' ');
        const { body, signal } = input;
        const headers = new Headers(textsOf(input.headers));
        const type = contentType(input);
        if (type !== undefined) headers.set('content-type', type);
        if (token !== undefined) {
            headers.set('authorization', `Bearer ${typeof token === 'string' ? token : await token()}`);
        }
        const response = await ask(`${baseUrl.replace(/\/$/, '')}${filled(path, input.path)}${queryOf(input.query)}`, {
            method,
            headers,
            ...(body !== undefined && { body: isBytes(body) ? body : JSON.stringify(body) }),
            ...(signal && { signal }),
        });
        if (!response.ok) throw await refusalOf(response);
        return response;
    }
}

const isBytes = (body: unknown): body is Bytes =>
    typeof body === 'string' || body instanceof Blob || body instanceof ArrayBuffer || ArrayBuffer.isView(body);

function contentType({ body, contentType: given }: Input & Control): string | undefined {
    if (body === undefined || given !== undefined) return given;
    if (!isBytes(body)) return 'application/json';
    return body instanceof Blob && body.type !== '' ? body.type : 'application/octet-stream';
}

/** What was given of some parameters, as texts. */
const textsOf = (values: object = {}): [name: string, value: string][] =>
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));

/** A path may hold slashes where the last part stands for several. */
function filled(path: string, values: object = {}): string {
    const given = Object.fromEntries(textsOf(values));
    return path.replace(/\{(\w+)\}/g, (_part, name: string) => {
        const segments = (given[name] ?? '').split('/');
        return (name === 'path' ? segments : [segments.join('/')]).map(encodeURIComponent).join('/');
    });
}

function queryOf(values: object | undefined): string {
    const query = new URLSearchParams(textsOf(values)).toString();
    return query === '' ? '' : `?${query}`;
}

function asksForStream(name: string, input: (Input & Control) | undefined): Input & Control {
    return name.startsWith('POST ') ? { ...input, body: { ...(input?.body as object), stream: true } } : { ...input };
}

async function refusalOf(response: Response): Promise<ApiError> {
    const body = (await response.json().catch(() => ({}))) as { error?: Partial<ErrorBody> };
    return new ApiError(response, body.error ?? {});
}

/** Server-sent events (WHATWG HTML, 9.2), with JSON in them; ends with OpenAI's `[DONE]`. */
async function* eventsOf({ body }: Response): AsyncGenerator<ServerEvent> {
    if (body === null) return;
    const reader = body.getReader();
    const decoder = new TextDecoder();
    let rest = '';
    try {
        for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
            const blocks = (rest + decoder.decode(piece.value as Uint8Array, { stream: true })).split('\n\n');
            rest = blocks.pop() ?? '';
            for (const block of blocks) {
                const { data, id = '', event = 'message' } = fieldsOf(block);
                if (data === '[DONE]') return;
                if (data !== undefined) yield { id, event, data: JSON.parse(data) };
            }
        }
    } finally {
        await reader.cancel().catch(() => undefined);
    }
}

/** The fields of an event; a comment, as the heartbeat is, has none. */
const fieldsOf = (block: string): Record<string, string> =>
    Object.fromEntries([...block.matchAll(/^(id|event|data): ?(.*)$/gm)].map(([, name, value]) => [name, value]));
