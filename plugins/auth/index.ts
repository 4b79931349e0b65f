import { AdmissionStore } from './admission-store.ts';
import { AttemptStore } from './attempt-store.ts';
import { Attempts } from './attempts.ts';
import { defineCookies } from './cookies.ts';
import { PasswordService } from './password-service.ts';
import { PasswordStore } from './password-store.ts';
import { ensurePlatformAdmin } from './platform-admin.ts';
import { publicLimit } from './public-limit.ts';
import { changePassword } from './routes/change-password.ts';
import { createResetToken } from './routes/create-reset-token.ts';
import { endOtherSessions } from './routes/end-other-sessions.ts';
import { endSession } from './routes/end-session.ts';
import { forgotPassword } from './routes/forgot-password.ts';
import { getMe } from './routes/get-me.ts';
import { listSessions } from './routes/list-sessions.ts';
import { login } from './routes/login.ts';
import { logout } from './routes/logout.ts';
import { refresh } from './routes/refresh.ts';
import { register } from './routes/register.ts';
import { resetPassword } from './routes/reset-password.ts';
import { credentialScheme } from './scheme.ts';
import { AuthService } from './service.ts';
import { SessionService } from './session-service.ts';
import { SessionStore } from './session-store.ts';
import { Background } from '../../src/background.ts';
import { createMailer } from '../../src/mail/mailer.ts';
import { appendOutbox } from '../../src/redis/append-outbox.ts';
import { AccessTokens } from '../../src/security/access-tokens.ts';
import { RefreshTokens } from '../../src/security/refresh-tokens.ts';

import type { Plugin } from '@hapi/hapi';
import type { AuthPort } from './api.ts';
import type { Platform } from '../../src/platform.ts';

export const auth: Plugin<Platform> = {
    name: 'auth',
    dependencies: ['operations', 'tenants', 'users'],
    register: async (server, platform) => {
        const { config, store, vault, clock, drain, logger, passwords } = platform;
        const { operations, tenants, users } = server.plugins;
        const sessions = new SessionStore(store, vault, tenants, users);
        const passwordStore = new PasswordStore(store, users, sessions);
        const admission = new AdmissionStore(store, { tenants, users, sessions, clock });
        for (const kept of [sessions, admission, passwordStore]) {
            users.onPurge((tenantId, userId) => kept.purge(tenantId, userId));
        }
        const accessTokens = new AccessTokens(config.JWT_KEYS, config.ACCESS_TOKEN_TTL, clock);
        const attempts = new Attempts(new AttemptStore(store));
        const parts = { append: appendOutbox(store), operations, tenants, users, passwords, attempts };
        const service = new AuthService({
            ...parts,
            sessions,
            config,
            clock,
            accessTokens,
            refreshTokens: new RefreshTokens(config.JWT_KEYS),
        });

        const sessionService = new SessionService(sessions);
        const passwordService = new PasswordService({
            ...parts,
            store: passwordStore,
            mailer: await createMailer(config),
            background: new Background(drain, logger),
        });
        const port: AuthPort = {
            createResetToken: (actor, userId) => passwordService.createResetToken(actor, userId),
            checkPassword: (actor, password) => passwordService.check(actor, password),
            standing: (actor) => admission.standing(actor),
        };
        server.expose(port);

        const gate = operations.checkMaintenance;
        server.auth.scheme('credential', credentialScheme({ tokens: accessTokens, store: admission, gate }));
        server.auth.strategy('user', 'credential');
        server.auth.default('user');
        defineCookies(server, config);
        server.ext('onPreAuth', publicLimit(admission));
        server.ext('onPreStart', () =>
            ensurePlatformAdmin(config, { tenants, users }, passwords, (text) => process.stdout.write(text)),
        );

        server.route(register(service));
        server.route(login(service, '/api/auth/login'));
        server.route(login(service, '/api/login'));
        server.route(refresh(service));
        server.route(logout(service, '/api/auth/logout'));
        server.route(logout(service, '/api/logout'));
        server.route(getMe(service));
        server.route(listSessions(sessionService));
        server.route(endSession(sessionService));
        server.route(endOtherSessions(sessionService));
        server.route(changePassword(passwordService));
        server.route(forgotPassword(passwordService));
        server.route(resetPassword(passwordService));
        server.route(createResetToken(passwordService));
    },
};
