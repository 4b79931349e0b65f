-- Read the counters of the newest days, and those of the members over all of them.
-- KEYS[1] what the keys of the days begin with · ARGV[1] how many days
-- Returns {{{yyyymmdd, {field, amount, …}}, …}, {field, amount, …}}, the newest day first
-- @include now
-- @include calendar
local today = math.floor(now() / DAY_MS)
local days, sums = {}, {}
for day = today, today - tonumber(ARGV[1]) + 1, -1 do
    local date = date_of(day)
    days[#days + 1] = { date, redis.call('HGETALL', KEYS[1] .. date) }
    local members = redis.call('HGETALL', KEYS[1] .. date .. ':members')
    for n = 1, #members, 2 do sums[members[n]] = (sums[members[n]] or 0) + tonumber(members[n + 1]) end
end
local flat = {}
for field, amount in pairs(sums) do
    flat[#flat + 1], flat[#flat + 2] = field, string.format('%.0f', amount)
end
return { days, flat }
