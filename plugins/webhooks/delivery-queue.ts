import type { Todo } from './delivery-store.ts';
import type { Jobs } from '../../src/jobs/jobs.ts';

export const DELIVER_WEBHOOK = 'deliver-webhook';

/** Where deliveries wait for a worker. */
export class DeliveryQueue {
    readonly #jobs: Jobs;

    constructor(jobs: Jobs) {
        this.#jobs = jobs;
    }

    /** What waits there already is not added again. @throws When Redis is away */
    async add(tenantId: string, todo: Todo[]): Promise<void> {
        await Promise.all(todo.map((one) => this.#add(tenantId, one)));
    }

    async #add(tenantId: string, { deliveryId, webhookId, round }: Todo): Promise<void> {
        const data = { tenantId, webhookId, deliveryId, round };
        await this.#jobs.add(DELIVER_WEBHOOK, data, { id: `${deliveryId}.${round}`, queue: 'deliveries' });
    }
}
