-- Note how the targets of a tunnel are, which are all that there are; what has changed stands in its activity.
-- KEYS[1] tunnel · KEYS[2] health · KEYS[3] activity
-- ARGV[1] most targets that are kept · then of each target: id, JSON {isHealthy, latencyMs, error?}
-- Returns 1 noted, 0 there is no such tunnel
-- @include now
-- @include outbox
-- @include tunnel-status
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local at = now()
local told = {}
for n = 2, #ARGV, 2 do told[ARGV[n]] = true end
for _, id in ipairs(redis.call('HKEYS', KEYS[2])) do
    if not told[id] then redis.call('HDEL', KEYS[2], id) end
end
for n = 2, #ARGV, 2 do
    local id, health = ARGV[n], cjson.decode(ARGV[n + 1])
    local before = redis.call('HGET', KEYS[2], id)
    if before or redis.call('HLEN', KEYS[2]) < tonumber(ARGV[1]) then
        if not before or cjson.decode(before).isHealthy ~= health.isHealthy then
            note(KEYS[3], 'health_changed', { 'endpoint', id, 'isHealthy', tostring(health.isHealthy) })
        end
        health.checkedAt = at
        redis.call('HSET', KEYS[2], id, cjson.encode(health))
    end
end
return 1
