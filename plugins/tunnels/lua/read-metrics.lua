-- Read the counters of the newest days.
-- KEYS[1] what the keys of the days begin with · ARGV[1] how many days
-- Returns {{yyyymmdd, {field, amount, …}}, …}, the newest first
-- @include now
-- @include calendar
local today = math.floor(now() / DAY_MS)
local found = {}
for day = today, today - tonumber(ARGV[1]) + 1, -1 do
    local date = date_of(day)
    found[#found + 1] = { date, redis.call('HGETALL', KEYS[1] .. date) }
end
return found
