-- Counters of model calls, by day and by month in UTC. The keys are `<key>:<yyyymmdd>` and `<key>:<yyyymm>`, in the same
-- slot; a field is `<model>:<what>`.
local DAYS_KEPT, MONTHS_KEPT = 92, 25
local DAY_MS = 86400000

-- A day, counted from the epoch, as yyyymmdd (H. Hinnant, chrono-Compatible Low-Level Date Algorithms: civil_from_days).
local function date_of(day)
    local shifted = day + 719468
    local era = math.floor(shifted / 146097)
    local rest = shifted - era * 146097
    local year = math.floor(
        (rest - math.floor(rest / 1460) + math.floor(rest / 36524) - math.floor(rest / 146096)) / 365)
    local of_year = rest - (365 * year + math.floor(year / 4) - math.floor(year / 100))
    local from_march = math.floor((5 * of_year + 2) / 153)
    local of_month = of_year - math.floor((153 * from_march + 2) / 5) + 1
    local month = from_march < 10 and from_march + 3 or from_march - 9
    return string.format('%04d%02d%02d', year + era * 400 + (month <= 2 and 1 or 0), month, of_month)
end

-- The names of the newest days or months, this one first.
local function newest_periods(unit, count, at)
    local names = {}
    local day = math.floor(at / DAY_MS)
    for n = 1, count do
        local date = date_of(day)
        names[n] = unit == 'month' and date:sub(1, 6) or date
        -- The day before it, or the last one of the month before.
        day = day - (unit == 'month' and tonumber(date:sub(7)) or 1)
    end
    return names
end

-- Adds a call. counts {field, amount, …}
local function count_usage(key, counts, at)
    local date = date_of(math.floor(at / DAY_MS))
    for name, days in pairs({ [date] = DAYS_KEPT, [date:sub(1, 6)] = MONTHS_KEPT * 31 }) do
        for n = 1, #counts, 2 do redis.call('HINCRBY', key .. ':' .. name, counts[n], counts[n + 1]) end
        redis.call('EXPIRE', key .. ':' .. name, days * 86400)
    end
end
