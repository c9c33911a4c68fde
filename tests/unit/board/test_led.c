/* test_led.c - what the LED says, and which LED says it. */
#include "board/led.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Flashes of one round, seen every 10 ms; each look must agree with how long the one before said it lasts. */
static int flashes_of(const struct led_pattern *p, int64_t round_ms)
{
	int64_t left_ms, until = 0;
	bool before = false, on;
	int count = 0;

	for (int64_t t = 0; t < round_ms; t += 10) {
		on = led_is_on(p, t, &left_ms);
		assert_true(left_ms > 0 && left_ms <= round_ms);
		if (t && t < until)
			assert_int_equal(on, before);
		count += on && !before;
		before = on;
		until = t + left_ms;
	}
	return count;
}

static void each_pattern_flashes_as_it_says(void **state)
{
	(void)state;
	for (int i = 0; i < BOX_STATES; i++) {
		const struct led_pattern *p = &led_patterns[i];
		int64_t round = (int64_t)(p->on_ms + p->off_ms) * p->flashes + p->pause_ms;
		int64_t left_ms;

		if (!p->flashes) {
			assert_int_equal(flashes_of(p, 10 * (p->on_ms + p->off_ms)), 10);
			continue;
		}
		assert_int_equal(flashes_of(p, round), p->flashes);
		assert_true(led_is_on(p, round, &left_ms)); /* it goes round */
		assert_int_equal(left_ms, p->on_ms);
		assert_false(led_is_on(p, round - 1, &left_ms));
		assert_int_equal(left_ms, 1);
	}
}

static void no_two_patterns_are_alike(void **state)
{
	(void)state;
	for (int i = 0; i < BOX_STATES; i++)
		for (int k = 0; k < i; k++) {
			const struct led_pattern *a = &led_patterns[i], *b = &led_patterns[k];

			assert_true(a->flashes != b->flashes || a->on_ms != b->on_ms);
			assert_string_not_equal(a->looks, b->looks);
			assert_string_not_equal(a->name, b->name);
		}
}

/* ---- sysfs ---- */

static char folder[PATH_MAX];

static void put(const char *name, const char *file, const char *text)
{
	char path[PATH_MAX + 80];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	mkdir(path, 0755);
	snprintf(path, sizeof path, "%s/%s/%s", folder, name, file);

	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void light(const char *name, const char *max)
{
	put(name, "brightness", "0");
	put(name, "max_brightness", max);
	put(name, "trigger", "none [mmc0] timer");
}

static const char *get(const char *name, const char *file)
{
	static char text[64];
	char path[PATH_MAX + 80];

	snprintf(path, sizeof path, "%s/%s/%s", folder, name, file);

	FILE *f = fopen(path, "r");

	assert_non_null(f);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	return text;
}

static int make_scratch(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/scorebox-led-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_scratch(void **state)
{
	char command[PATH_MAX + 20];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

static void finds_the_activity_led(void **state)
{
	/* In the order in which each beats all before it. */
	static const char *const names[] = {"board:user", "my-act", "led0", "ACT"};
	static const char *const others[] = {"input2::capslock", "PWR", "mmc0::", "eth0:green"};
	struct led l;

	(void)state;
	led_open(&l, folder);
	assert_int_equal(l.fd, -1);
	led_set(&l, true); /* fine without one */
	for (size_t i = 0; i < 4; i++)
		light(others[i], "1");
	led_open(&l, folder);
	assert_int_equal(l.fd, -1);
	for (size_t i = 0; i < 4; i++) {
		light(names[i], "1");
		led_open(&l, folder);
		assert_true(l.fd >= 0);
		assert_string_equal(l.name, names[i]);
		close(l.fd);
	}
	assert_int_equal(strncmp(get("ACT", "trigger"), "none", 4), 0);
}

static void writes_its_greatest_brightness(void **state)
{
	struct led l;

	(void)state;
	light("ACT", "255\n");
	led_open(&l, folder);
	led_set(&l, true);
	assert_int_equal(strncmp(get("ACT", "brightness"), "255\n", 4), 0);
	led_set(&l, false);
	assert_int_equal(strncmp(get("ACT", "brightness"), "0\n", 2), 0);
	close(l.fd);
}

static void the_table_has_a_row_each(void **state)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	led_print_markdown(out);
	fclose(out);
	for (int i = 0; i < BOX_STATES; i++)
		assert_non_null(strstr(text, led_patterns[i].todo));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_pattern_flashes_as_it_says),
		cmocka_unit_test(no_two_patterns_are_alike),
		cmocka_unit_test_setup_teardown(
			finds_the_activity_led, make_scratch, remove_scratch),
		cmocka_unit_test_setup_teardown(
			writes_its_greatest_brightness, make_scratch, remove_scratch),
		cmocka_unit_test(the_table_has_a_row_each),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
