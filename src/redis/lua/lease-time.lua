-- Milliseconds since the epoch, for leases that a process holds as long as it lives: the server's own, also where a test
-- has moved the clock of everything else.
local function lease_time()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
end
