-- The generic cell rate algorithm (ITU-T I.371): a key holds the theoretical arrival time, in microseconds.
-- `gcra_peek` looks and changes nothing; `gcra_take` spends what a peek allowed.
local function gcra_peek(key, limit, window, at)
    local span = window * 1000000
    local interval = math.floor(span / limit)
    local arrival = math.max(tonumber(redis.call('GET', key) or 0), at * 1000) + interval
    local over = arrival - span - at * 1000
    return { key = key, limit = limit, window = window, arrival = arrival, interval = interval, over = over, at = at }
end

local function gcra_take(rate)
    local lifetime = math.ceil(rate.arrival / 1000 - rate.at)
    redis.call('SET', rate.key, string.format('%d', rate.arrival), 'PX', lifetime)
end

-- {limit, remaining, reset in epoch seconds, window in seconds, milliseconds to wait}
local function gcra_state(rate, taken)
    local arrival = taken and rate.arrival or rate.arrival - rate.interval
    local left = math.floor((rate.window * 1000000 - (arrival - rate.at * 1000)) / rate.interval)
    local wait = math.max(0, math.ceil(rate.over / 1000))
    return { rate.limit, math.max(0, left), math.ceil(arrival / 1000000), rate.window, wait }
end
