-- Has a proxy run, on its user's wish or because it is used again. What was known of its members was forgotten when it
-- stopped.
-- seen: what was just seen of them, or an empty list
local function wake(keys, seen, at)
    redis.call('HSET', keys[1], 'desired', 'running', 'startedAt', string.format('%d', at))
    redis.call('HDEL', keys[1], 'highSince', 'lowSince', 'sampledAt')
    for _, look in ipairs(seen) do
        if is_member(keys[1], look.tunnelId) then see(keys[4], look, at, true) end
    end
    local to = status_by_health(keys)
    become(keys, to, to == 'error' and 'unhealthy' or nil, at)
end
