-- What every request passes whose credential is good, needs `gcra` and `violation`: the rates of the user, of the key
-- and of the route, then the tenant's quota of the month, which is left alone without `keys.quota`. All of them are spent
-- or none.
-- who: {id, role, tier, plan, overrides, key} · rates: a list of {kind, key, limit, window}; the user's own comes before
-- tiers: `<tier>:<requests per minute>:<requests per month or nothing>` for each, which is read faster than JSON
-- Returns what `admit.lua` says
local QUOTA_LIFETIME = 400 * 24 * 3600

local function admission(who, rates, tiers, keys, route, at)
    local per_minute, per_month = string.match(tiers, who.tier .. ':(%d+):(%d*)')
    if who.plan ~= who.tier then per_month = select(2, string.match(tiers, who.plan .. ':(%d+):(%d*)')) end
    per_minute, per_month = tonumber(per_minute), tonumber(per_month)
    if who.overrides then
        local own = cjson.decode(who.overrides)
        per_minute = own.requestsPerMinute or per_minute
        if own.requestsPerMonth ~= nil then per_month = own.requestsPerMonth end
        if per_month == cjson.null then per_month = nil end
    end

    table.insert(rates, 1, { 'user', keys.rate, per_minute, 60 })
    for n, rate in ipairs(rates) do
        local kind = rate[1]
        rates[n] = gcra_peek(rate[2], rate[3], rate[4], at)
        if rates[n].over > 0 then
            count_violation(keys.violations, { kind = kind, userId = who.id, keyId = who.key, route = route }, at)
            return { -3, who.role, who.tier, gcra_state(rates[n], false) }
        end
    end

    local used = keys.quota and redis.call('HINCRBY', keys.quota, 'requests', 1)
    if used == 1 then redis.call('EXPIRE', keys.quota, QUOTA_LIFETIME) end
    if used and per_month and used > per_month then
        redis.call('HINCRBY', keys.quota, 'requests', -1)
        count_violation(keys.violations, { kind = 'quota', userId = who.id, keyId = who.key, route = route }, at)
        return { -4, who.role, who.tier, gcra_state(rates[1], false), used - 1, per_month }
    end

    local tightest
    for _, rate in ipairs(rates) do
        gcra_take(rate)
        local state = gcra_state(rate, true)
        if not tightest or state[2] < tightest[2] then tightest = state end
    end
    return { 1, who.role, who.tier, tightest }
end
