import { apiError, isApiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { done, doneBy, type EventEntry, type Outbox } from '../../src/redis/outbox.ts';

import type { Project, ProjectContents, ProjectService, ProjectView } from './api.ts';
import type { CreateProject, UpdateProject } from './schemas.ts';
import type { ProjectStore } from './store.ts';
import type { Jobs } from '../../src/jobs/jobs.ts';
import type { Page, PageQuery } from '../../src/redis/collection.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { Tiers } from '../tenants/api.ts';

export const REMOVE_PROJECT = 'remove-project';

export interface ProjectParts {
    store: ProjectStore;
    tiers: Tiers;
    jobs: Jobs;
    logger: Logger;
}

/** What becomes of a project that is deleted. */
export interface DeletedProject {
    id: string;
    status: 'deleted' | 'deleting';
}

/** Projects of a user, another user's are not found; for routes and other features: hapi exposes own properties only. */
export class Projects implements ProjectService {
    readonly #parts: ProjectParts;
    #named: ProjectContents | null = null;

    constructor(parts: ProjectParts) {
        this.#parts = parts;
    }

    /** @throws NAME_TAKEN, QUOTA_EXCEEDED */
    create = async (actor: Actor, { name, description }: CreateProject): Promise<Project> => {
        const id = newId('project');
        const project = { id, userId: actor.userId, name, description, status: 'active' } as const;
        const most = this.#parts.tiers.limitsOf(actor.tier, null).projects;
        const creation = await this.#parts.store.create(actor.tenantId, project, most, changeOf(actor, 'create', id));
        if ('project' in creation) return creation.project;
        const limit = creation.most;
        throw apiError('QUOTA_EXCEEDED', { details: { quota: 'projects', used: limit, limit, resetsAt: null } });
    };

    list = (actor: Actor, query: PageQuery): Promise<Page<Project>> => {
        return this.#parts.store.records.list(placeOf(actor), query);
    };

    get = (actor: Actor, id: string): Promise<Project> => {
        return this.#parts.store.records.get(placeOf(actor), id);
    };

    /** @throws PROJECT_NOT_FOUND */
    view = async (actor: Actor, id: string): Promise<{ project: Project } & ProjectView> => {
        const project = await this.get(actor, id);
        return { project, ...(await this.#contents.view(actor.tenantId, id)) };
    };

    /** @throws PROJECT_NOT_FOUND, REVISION_MISMATCH, PROJECT_DELETING, NAME_TAKEN */
    update = (actor: Actor, id: string, changes: UpdateProject, revision?: number): Promise<Project> => {
        const outbox = changeOf(actor, 'update', id, { fields: Object.keys(changes) });
        return this.#parts.store.update(placeOf(actor), id, changes, { revision, outbox });
    };

    /**
     * Nothing can be put in it from then on; it goes when nothing is left in it.
     *
     * @throws PROJECT_NOT_FOUND, REVISION_MISMATCH
     */
    delete = async (actor: Actor, id: string, revision?: number): Promise<DeletedProject> => {
        const { store, jobs, logger } = this.#parts;
        const { tenantId, userId, requestId } = actor;
        const audit = changeOf(actor, 'delete', id).audit ?? [];
        const status = await store.delete(placeOf(actor), id, {
            revision,
            deleted: { events: [eventOf('deleted', id, userId)], audit },
            deleting: { events: [eventOf('deleting', id, userId)], audit },
            contents: this.#contents.keys(tenantId, id),
        });
        if (status === 'deleting') {
            // It is written down, and taken up within a minute or two if the queue is away.
            await jobs
                .add(REMOVE_PROJECT, { tenantId, projectId: id, requestId }, { id: newId('job') })
                .catch((error: unknown) => {
                    logger.warn({ module: 'projects', requestId, err: error }, 'A removal could not be asked for');
                });
        }
        return { id, status };
    };

    key = (tenantId: string, id: string): string => {
        return this.#parts.store.records.key(tenantId, id);
    };

    contain = (contents: ProjectContents): void => {
        this.#named = contents;
    };

    resume = async (tenantId: string, id: string): Promise<void> => {
        const project = await this.#parts.store.records.find({ tenantId }, id);
        if (project?.status === 'deleting') await this.#contents.remove(tenantId, id);
        await this.finish(tenantId, id);
    };

    finish = async (tenantId: string, id: string): Promise<boolean> => {
        const { store } = this.#parts;
        const project = await store.records.find({ tenantId }, id);
        const ownerId = project?.userId ?? 'nobody';
        const outbox = { events: [eventOf('deleted', id, ownerId)], audit: [done('project', 'remove', id)] };
        return store.finish({ tenantId, ownerId }, id, this.#contents.keys(tenantId, id), outbox);
    };

    deleting = (tenantId: string): Promise<string[]> => {
        return this.#parts.store.deleting(tenantId);
    };

    /** Removes the projects of a user with all that is in them. */
    ownersAmong = (tenantId: string, userIds: string[]): Promise<string[]> =>
        this.#parts.store.ownersAmong(tenantId, userIds);

    purge = (tenantId: string, ownerId: string): Promise<void> => {
        const place = { tenantId, ownerId };
        return this.#parts.store.records.purge(place, 'created', async (ids) => {
            for (const id of ids) await this.#purgeProject(place, id);
        });
    };

    get #contents(): ProjectContents {
        if (!this.#named) throw new Error('Nobody has said what is in projects');
        return this.#named;
    }

    async #purgeProject(place: { tenantId: string; ownerId: string }, id: string): Promise<void> {
        const { tenantId, ownerId } = place;
        const outbox = { events: [eventOf('deleted', id, ownerId)], audit: [done('project', 'remove', id)] };
        const deletion = { deleted: outbox, deleting: {}, contents: this.#contents.keys(tenantId, id) };
        const status = await this.#parts.store.delete(place, id, deletion).catch((error: unknown) => {
            // Gone by a purge that was interrupted.
            if (isApiError(error, 'PROJECT_NOT_FOUND')) return 'deleted';
            throw error;
        });
        if (status === 'deleted') return;
        await this.#contents.purge(tenantId, id);
        if (!(await this.finish(tenantId, id))) throw new Error(`Something is left in ${id}`);
    }
}

const placeOf = ({ tenantId, userId }: Actor) => ({ tenantId, ownerId: userId });

const eventOf = (
    happened: 'created' | 'updated' | 'deleting' | 'deleted',
    projectId: string,
    userId: string,
): EventEntry => ({
    type: `project.${happened}`,
    data: { projectId, userId },
});

const changeOf = (actor: Actor, action: 'create' | 'update' | 'delete', id: string, details?: object): Outbox => ({
    events: [eventOf(`${action}d`, id, actor.userId)],
    audit: [doneBy(actor, 'project', action, id, details)],
});
