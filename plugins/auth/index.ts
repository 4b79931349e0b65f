import { Attempts } from './attempts.ts';
import { defineCookies } from './cookies.ts';
import { PasswordService } from './password-service.ts';
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
import { AuthStore } from './store.ts';
import { Background } from '../../src/background.ts';
import { createMailer } from '../../src/mail/mailer.ts';
import { appendOutbox } from '../../src/redis/append-outbox.ts';
import { AccessTokens } from '../../src/security/access-tokens.ts';
import { Passwords } from '../../src/security/passwords.ts';
import { RefreshTokens } from '../../src/security/refresh-tokens.ts';

import type { Plugin } from '@hapi/hapi';
import type { AuthPort } from './api.ts';
import type { Platform } from '../../src/platform.ts';

export const auth: Plugin<Platform> = {
    name: 'auth',
    dependencies: ['tenants', 'users'],
    register: (server, platform) => {
        const { config, store, vault, clock, drain, logger } = platform;
        const { tenants, users } = server.plugins;
        const authStore = new AuthStore(store, vault, tenants, users, clock);
        users.onPurge((tenantId, userId) => authStore.purge(tenantId, userId));
        const accessTokens = new AccessTokens(config.JWT_KEYS, config.ACCESS_TOKEN_TTL, clock);
        const passwords = new Passwords(config.BCRYPT_COST);
        const attempts = new Attempts(authStore);
        const parts = { store: authStore, append: appendOutbox(store), tenants, users, passwords, attempts };
        const service = new AuthService({
            ...parts,
            config,
            clock,
            accessTokens,
            refreshTokens: new RefreshTokens(config.JWT_KEYS),
        });

        const sessions = new SessionService(authStore);
        const background = new Background(drain, logger);
        const passwordService = new PasswordService({ ...parts, mailer: createMailer(config), background });
        const port: AuthPort = {
            createResetToken: (actor, userId) => passwordService.createResetToken(actor, userId),
            checkPassword: (actor, password) => passwordService.check(actor, password),
        };
        server.expose(port);

        server.auth.scheme('credential', credentialScheme(accessTokens, authStore));
        server.auth.strategy('user', 'credential');
        server.auth.default('user');
        defineCookies(server, config);
        server.ext('onPreAuth', publicLimit(authStore));
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
        server.route(listSessions(sessions));
        server.route(endSession(sessions));
        server.route(endOtherSessions(sessions));
        server.route(changePassword(passwordService));
        server.route(forgotPassword(passwordService));
        server.route(resetPassword(passwordService));
        server.route(createResetToken(passwordService));
    },
};
