import { entry, type CatalogueEntry } from './entry.ts';

const RETRY_OR_ANOTHER = 'Try again in a moment or take another model.';
const RETRY = 'Try again in a moment; if it goes on, send us the request id.';

/** Limits that are reached, and failures of ours or of a provider: later it may work. */
export const capacityErrors = {
    RATE_LIMITED: entry(
        429,
        'rate_limit',
        'There were too many requests.',
        'Wait for the number of seconds in Retry-After.',
    ),
    ACCOUNT_DELAYED: entry(
        429,
        'rate_limit',
        'There were too many failed logins.',
        'Wait for the number of seconds in Retry-After, or reset the password.',
    ),
    QUOTA_EXCEEDED: entry(
        429,
        'rate_limit',
        'The quota named in details.quota is used up.',
        'Wait until details.resetsAt, or ask for a larger plan.',
    ),
    CONCURRENCY_LIMIT: entry(
        429,
        'rate_limit',
        'There are as many generations running as your tier allows.',
        'Wait for one of them to end; see details.limit.',
    ),
    TOO_MANY_STREAMS: entry(
        429,
        'rate_limit',
        'You follow events with as many streams as a user may have.',
        'Close one of them; one that broke off counts for half a minute.',
    ),
    PROVIDER_RATE_LIMITED: entry(
        429,
        'rate_limit',
        'The provider of the model has limited the rate.',
        'Wait for Retry-After, or take another model.',
    ),
    INTERNAL_ERROR: entry(500, 'server', 'Something went wrong on our side.', RETRY),
    PROVIDER_ERROR: entry(502, 'server', 'The provider of the model failed.', RETRY_OR_ANOTHER),
    PROVIDER_TIMEOUT: entry(504, 'server', 'The provider of the model did not answer in time.', RETRY_OR_ANOTHER),
    MAINTENANCE: entry(
        503,
        'service_unavailable',
        'The platform is closed for maintenance.',
        'Wait for the number of seconds in Retry-After; details.message may tell more.',
    ),
    TENANT_RESTORING: entry(
        503,
        'service_unavailable',
        'The tenant is being restored from a backup.',
        'Wait for the number of seconds in Retry-After.',
    ),
    TUNNEL_OFFLINE: entry(
        503,
        'service_unavailable',
        'No agent of the tunnel is connected.',
        'Start llm-tunnel where the service is, and see GET /api/tunnels/{id}/status.',
    ),
    TUNNEL_BUSY: entry(
        503,
        'service_unavailable',
        'The tunnel carries as many requests as its maxConnections allows.',
        'Wait for the number of seconds in Retry-After.',
    ),
    TUNNEL_TIMEOUT: entry(
        504,
        'server',
        'The service behind the tunnel did not answer within the tunnel’s timeout.',
        'See whether it is overloaded, or give the tunnel a longer timeout.',
    ),
    TUNNEL_ERROR: entry(
        502,
        'server',
        'The service behind the tunnel could not be reached, or its answer could not be relayed.',
        'See GET /api/tunnels/{id}/health; details.reason tells what went wrong.',
    ),
    PROXY_STOPPED: entry(
        503,
        'service_unavailable',
        'The proxy is stopped.',
        'Start it with POST /api/proxies/{id}/start.',
    ),
    PROXY_BUSY: entry(
        503,
        'service_unavailable',
        'The proxy carries as many requests as its replicas and maxConnections allow, and its line is full or slow.',
        'Wait for the number of seconds in Retry-After, or scale it with POST /api/proxies/{id}/scale.',
    ),
    PROXY_OFFLINE: entry(
        503,
        'service_unavailable',
        'No member of the proxy takes requests.',
        'See details.members and GET /api/proxies/{id}/health; start llm-tunnel where the services are.',
    ),
    PROVIDER_OVERLOADED: entry(
        503,
        'service_unavailable',
        'The provider of the model is overloaded.',
        RETRY_OR_ANOTHER,
    ),
    CIRCUIT_OPEN: entry(
        503,
        'service_unavailable',
        'The provider of the model has failed too often and is left alone for a while.',
        'Wait for the number of seconds in Retry-After, or take another model.',
    ),
    STORE_UNAVAILABLE: entry(503, 'service_unavailable', 'The datastore is not reachable.', RETRY),
    STORE_FULL: entry(
        507,
        'service_unavailable',
        'The datastore is nearly full: nothing new is taken.',
        'Delete what is not needed any more, or wait for the number of seconds in Retry-After and try again.',
    ),
    BACKUP_STORAGE_UNAVAILABLE: entry(
        503,
        'service_unavailable',
        'The storage of backups is not reachable, or has no room left.',
        RETRY,
    ),
    REQUEST_TIMEOUT: entry(503, 'service_unavailable', 'The request took too long.', RETRY),
    SERVER_BUSY: entry(
        503,
        'service_unavailable',
        'The server has too much to do.',
        'Wait for the number of seconds in Retry-After.',
    ),
    ANSWER_INTERRUPTED: entry(
        503,
        'service_unavailable',
        'The server that wrote the answer has stopped; what was sent out is kept.',
        'Ask for the answer anew.',
    ),
    LOAD_INTERRUPTED: entry(
        503,
        'service_unavailable',
        'The server that loaded the model has stopped.',
        'Load the model again.',
    ),
    SHUTTING_DOWN: entry(503, 'service_unavailable', 'This server is about to stop.', 'Send the request again.'),
    SAFETY_BACKUP_FAILED: entry(
        503,
        'service_unavailable',
        'What is there could not be backed up, so nothing was restored.',
        'See details.error, and restore again when that is mended.',
    ),
    NOTICES_OFF: entry(
        503,
        'service_unavailable',
        'No notices of other backups are taken here.',
        'Ask whoever runs this installation to set BACKUP_WEBHOOK_SECRET.',
    ),
} satisfies Record<string, CatalogueEntry>;
