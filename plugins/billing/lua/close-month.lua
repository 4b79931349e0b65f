-- Closes the month of a tenant's credits that is over, so that it has its invoice. No entry comes into it afterwards.
local function close_now(keys, at)
    local last = tonumber(redis.call('HGET', keys.credits, 'at') or 0)
    if last > at then at = last end
    close_month(keys, at)
    redis.call('HSET', keys.credits, 'at', digits(at))
    return date_at(at):sub(1, 6)
end
