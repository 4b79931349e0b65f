-- Decide about a request with a verified access token: the one round trip of authentication.
-- KEYS[1] tenant · KEYS[2] user · KEYS[3] the tenant's quota of the month · KEYS[4] violations · KEYS[5] the user's rate
-- KEYS[6] revoked token · KEYS[7] session · KEYS[8] the user's rate on this route, where it has a limit of its own
-- ARGV[1] tiers as `admission.lua` takes them · ARGV[2] route · ARGV[3] limit and ARGV[4] window (s)
--         of the route · ARGV[5] user id · ARGV[6] 1 when the request does not count against the quota
-- ARGV[7] 1 when it is admitted while the tenant is restored
-- Returns {code, role, tier, {limit, remaining, reset, window, wait}}; code 1 admitted, with {…, provider keys} as
--         `name,name` at the end, 0 session over,
--         -1 tenant not in standing, -2 user not in standing, -3 over a limit, -4 over the quota, with {…, used, limit}
--         at the end (in both cases only the violation is counted), -5 the tenant is being restored
-- @include now
-- @include gcra
-- @include epoch
-- @include violation
-- @include admission
local status, plan, overrides, tenant_epoch, restoring =
    unpack(redis.call('HMGET', KEYS[1], 'status', 'plan', 'limits', 'epoch', 'restoring'))
if restoring and ARGV[7] ~= '1' then return { -5 } end
if redis.call('EXISTS', KEYS[6]) == 1 then return { 0 } end
local user_id, began, seen = unpack(redis.call('HMGET', KEYS[7], 'userId', 'createdAt', 'lastSeenAt'))
if user_id ~= ARGV[5] then return { 0 } end
if status ~= 'active' then return { -1 } end
local active, role, tier, user_epoch, provider_keys =
    unpack(redis.call('HMGET', KEYS[2], 'isActive', 'role', 'tier', 'epoch', 'providerKeys'))
-- It may not be back yet.
if restoring and not active then return { -5 } end
if active ~= '1' then return { -2 } end
if is_over(began, tenant_epoch, user_epoch) then return { 0 } end

local at = now()
local who = { id = user_id, role = role, tier = tier or plan, plan = plan, overrides = overrides }
local rates = KEYS[8] and { { 'route', KEYS[8], tonumber(ARGV[3]), tonumber(ARGV[4]) } } or {}
local keys = { rate = KEYS[5], quota = ARGV[6] ~= '1' and KEYS[3] or nil, violations = KEYS[4] }
local verdict = admission(who, rates, ARGV[1], keys, ARGV[2], at)
if verdict[1] == 1 and at - tonumber(seen or 0) >= 60000 then
    redis.call('HSET', KEYS[7], 'lastSeenAt', string.format('%d', at))
end
if verdict[1] == 1 then verdict[5] = provider_keys or '' end
return verdict
