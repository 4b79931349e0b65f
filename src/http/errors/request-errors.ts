import { entry, type CatalogueEntry } from './entry.ts';

/** What is wrong with a request as it was sent. */
export const requestErrors = {
    VALIDATION_ERROR: entry(
        400,
        'validation',
        'The request is not valid.',
        'Correct the fields named in details.fields.',
    ),
    MALFORMED_REQUEST: entry(
        400,
        'validation',
        'The request could not be read.',
        'Send a complete body that is JSON in UTF-8, and a valid path.',
    ),
    INVALID_CURSOR: entry(
        400,
        'validation',
        'The cursor does not belong to this list.',
        'Start again without a cursor, and change nothing else of the query between two pages.',
    ),
    WEBHOOK_URL_REFUSED: entry(
        400,
        'validation',
        'Webhooks may not be sent to this URL.',
        'See details.reason; take a public https URL without credentials and fragment, on port 443 or one above 1023.',
    ),
    PAYLOAD_TOO_LARGE: entry(
        413,
        'validation',
        'The body is too large.',
        'Send at most 1 MiB, or what the route says.',
    ),
    MESSAGE_TOO_LONG: entry(
        413,
        'validation',
        'The message has more tokens than one message may have.',
        'Shorten the message or send it in parts.',
    ),
    UNSUPPORTED_MEDIA_TYPE: entry(
        415,
        'validation',
        'The body has another content type.',
        'Send Content-Type: application/json, or what the route says.',
    ),
    PROVIDER_KEY_MISSING: entry(
        422,
        'validation',
        'There is no API key for the provider of this model.',
        'Configure a key of the provider, or take a model that needs none.',
    ),
    PROVIDER_KEY_INVALID: entry(
        422,
        'validation',
        'The provider refused its API key.',
        'Replace the API key of the provider.',
    ),
    PROVIDER_REFUSED: entry(
        422,
        'validation',
        'The provider refused the request.',
        'See details.reason; change the message or its parameters.',
    ),
    IDEMPOTENCY_KEY_REUSED: entry(
        422,
        'validation',
        'The Idempotency-Key was used for another body.',
        'Take a new key for each request, and the same one only to repeat it as it was.',
    ),
    INVITATION_INVALID: entry(
        422,
        'validation',
        'The invitation is not valid, was used before or has expired.',
        'Ask an admin of your tenant for a new one.',
    ),
    BACKUP_DAMAGED: entry(
        422,
        'validation',
        'The archive of the backup is not whole, or not as it was written.',
        'Take another backup; details.reason tells what was found.',
    ),
    BACKUP_FOREIGN: entry(
        422,
        'validation',
        'The archive that stands under this backup’s name is that of another tenant or of another backup.',
        'Put the archive back that belongs there, or take another backup.',
    ),
    BACKUP_TOO_NEW: entry(
        422,
        'validation',
        'The archive was written by a newer version of this API.',
        'Restore it where that version, or a later one, runs.',
    ),
    BACKUP_COMPONENT_MISSING: entry(
        422,
        'validation',
        'The backup does not have all of these components.',
        'Leave out those in details.missing, or take another backup.',
    ),
} satisfies Record<string, CatalogueEntry>;
