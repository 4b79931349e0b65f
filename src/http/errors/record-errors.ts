import { entry, type CatalogueEntry } from './entry.ts';

/** Records that are not there, or not as the request takes them to be. */
export const recordErrors = {
    ROUTE_NOT_FOUND: entry(404, 'not_found', 'There is no such route.', 'See /documentation for the routes.'),
    TENANT_NOT_FOUND: entry(404, 'not_found', 'There is no such tenant.', 'Check the id.'),
    USER_NOT_FOUND: entry(404, 'not_found', 'There is no such user.', 'Check the id.'),
    SESSION_NOT_FOUND: entry(404, 'not_found', 'There is no such session.', 'Take an id from GET /api/auth/sessions.'),
    THREAD_NOT_FOUND: entry(404, 'not_found', 'There is no such thread.', 'Take an id from GET /api/threads.'),
    MESSAGE_NOT_FOUND: entry(404, 'not_found', 'There is no such message.', 'Take an id from the list of messages.'),
    STREAM_EXPIRED: entry(
        404,
        'not_found',
        'The events of this answer are not kept any more.',
        'Read the message, or open the stream without Last-Event-ID.',
    ),
    SUMMARY_NOT_FOUND: entry(404, 'not_found', 'This conversation has no summary.', 'Make one with POST …/summarize.'),
    MODEL_NOT_FOUND: entry(404, 'not_found', 'There is no such model.', 'Take an id from GET /api/models.'),
    KEY_NOT_FOUND: entry(404, 'not_found', 'There is no such API key.', 'Take an id from GET /api/keys.'),
    PROVIDER_KEY_NOT_FOUND: entry(404, 'not_found', 'You have no API key of that provider.', 'See GET /api/profile.'),
    AVATAR_NOT_FOUND: entry(404, 'not_found', 'You have no avatar.', 'Send one with PUT /api/profile/avatar.'),
    DOMAIN_TAKEN: entry(409, 'conflict', 'The domain is taken.', 'Choose another domain.'),
    EMAIL_TAKEN: entry(409, 'conflict', 'The e-mail address is taken.', 'Choose another address, or log in.'),
    IDEMPOTENCY_IN_PROGRESS: entry(
        409,
        'conflict',
        'The first request with this Idempotency-Key still runs.',
        'Repeat it after the number of seconds in Retry-After.',
    ),
    INVITATION_ACCEPTED: entry(409, 'conflict', 'The user has accepted already.', 'Make a reset token instead.'),
    LAST_ADMIN: entry(
        409,
        'conflict',
        'This is the last active admin of the tenant.',
        'Give the role to another active user first.',
    ),
    ALREADY_DELETED: entry(409, 'conflict', 'The record is deleted.', 'Restore it first, within 30 days.'),
    NOT_RESTORABLE: entry(
        409,
        'conflict',
        'The record is not deleted, or its 30 days are over.',
        'Read it again; after 30 days it is gone for good.',
    ),
    ANSWER_ENDED: entry(409, 'conflict', 'The answer has ended already.', 'Read the message.'),
    ANSWER_RUNNING: entry(409, 'conflict', 'The answer is on its way.', 'Wait for its end, or cancel it.'),
    NOT_LAST_ANSWER: entry(
        409,
        'conflict',
        'Only the last answer of a conversation can be given anew.',
        'Fork the thread at an earlier message instead.',
    ),
    NOTHING_TO_SUMMARIZE: entry(
        409,
        'conflict',
        'There is no answer in this conversation that the summary does not cover.',
        'Send a message first.',
    ),
    REVISION_MISMATCH: entry(
        412,
        'conflict',
        'The record has changed since you read it.',
        'Read it again and repeat the change with the new ETag in If-Match.',
    ),
} satisfies Record<string, CatalogueEntry>;
