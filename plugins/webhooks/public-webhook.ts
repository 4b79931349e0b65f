import type { PublicWebhook, Webhook } from './api.ts';

/** Without its secrets. */
export const publicWebhook = ({ secret: _secret, previousSecret: _previous, ...webhook }: Webhook): PublicWebhook =>
    webhook;
