-- Set what tenants have come to, and bring the sums of all tenants to it: by what is new less what is known of each, so that
-- nothing counts twice however often it is told, and whoever died on the way.
-- KEYS[1] what the keys begin with:
--   <reports>:<period>               hash  sums of all tenants
--   <reports>:<period>:of            hash  what is known of each tenant, as JSON, as long as it may be told again
--   <reports>:<period>:top:<figure>  zset  tenants by that figure, those with the most
--   <reports>:names · :reads         hash  names of tenants, and the numbers of the reads that are known
--   <reports>:purged                 zset  tenants that are gone, by when: who read them before comes too late
-- ARGV[1] JSON [{id, name, read, isGone?, periods: {period: {figure: value as text}}}, …]; of one that is gone stays what
--         days and months have
-- Returns how many were set
-- @include now
local DAY = 86400
local KEPT = { -- in seconds: sums, tops, what is known of each
    day = { 400 * DAY, 100 * DAY, 40 * DAY },
    month = { false, 800 * DAY, 100 * DAY },
    now = { false, false, false },
}
local TOPS = { 'revenue', 'calls', 'tokens', 'violations', 'backups', 'backupBytes' }
local MOST_TOPS = 10000
local PURGED_KEPT_MS = 60 * DAY * 1000
local names, reads, purged = KEYS[1] .. ':names', KEYS[1] .. ':reads', KEYS[1] .. ':purged'

local function expire(key, seconds)
    if seconds then redis.call('EXPIRE', key, seconds) end
end

local function change_sum(key, figure, from, to)
    local change = tonumber(to or 0) - tonumber(from or 0)
    if change ~= 0 then redis.call('HINCRBY', key, figure, string.format('%.0f', change)) end
end

local function rank(key, figure, id, value)
    local top = key .. ':top:' .. figure
    if tonumber(value or 0) > 0 then redis.call('ZADD', top, value, id) else redis.call('ZREM', top, id) end
    redis.call('ZREMRANGEBYRANK', top, 0, -MOST_TOPS - 1)
    return top
end

local function set_period(id, period, figures)
    local key = KEYS[1] .. ':' .. period
    local sums, tops, of = unpack(KEPT[period:match('^%a+')])
    local text = redis.call('HGET', key .. ':of', id)
    local known = text and cjson.decode(text) or {}
    for figure, value in pairs(figures) do change_sum(key, figure, known[figure], value) end
    for figure, value in pairs(known) do
        if not figures[figure] then change_sum(key, figure, value, 0) end
    end
    for _, figure in ipairs(TOPS) do
        if figures[figure] ~= known[figure] then expire(rank(key, figure, id, figures[figure]), tops) end
    end
    redis.call('HSET', key .. ':of', id, cjson.encode(figures))
    expire(key, sums)
    expire(key .. ':of', of)
end

local function forget(id, at)
    redis.call('HDEL', KEYS[1] .. ':now:of', id)
    redis.call('HDEL', names, id)
    redis.call('HDEL', reads, id)
    redis.call('ZREMRANGEBYSCORE', purged, '-inf', string.format('%d', at - PURGED_KEPT_MS))
    redis.call('ZADD', purged, string.format('%d', at), id)
end

local count = 0
for _, tenant in ipairs(cjson.decode(ARGV[1])) do
    local read = tonumber(redis.call('HGET', reads, tenant.id) or 0)
    if read <= tenant.read and not redis.call('ZSCORE', purged, tenant.id) then
        redis.call('HSET', names, tenant.id, tenant.name)
        redis.call('HSET', reads, tenant.id, tenant.read)
        for period, figures in pairs(tenant.periods) do set_period(tenant.id, period, figures) end
        if tenant.isGone then forget(tenant.id, now()) end
        count = count + 1
    end
end
return count
