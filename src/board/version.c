/* version.c - versions, compared number by number. */
#include "board/version.h"

#include <string.h>

#define DIGITS	   "0123456789"
#define CHARACTERS DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.~-"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool version_is_valid(const char *text)
{
	if (strlen(text) >= VERSION_BYTES)
		return false;
	do {
		size_t digits = strspn(text, DIGITS);

		if (digits == 0)
			return false;
		text += digits;
	} while (*text == '.' && text++);
	if (*text == '-') {
		size_t word = strspn(text + 1, CHARACTERS);

		if (word == 0)
			return false;
		text += 1 + word;
	}
	if (*text == '+') {
		size_t word = strspn(text + 1, CHARACTERS);

		if (word == 0)
			return false;
		text += 1 + word;
	}
	return *text == '\0';
}

/* Compares the numbers that begin at *a and *b, of any length, and moves behind them; none is 0. */
static int compare_numbers(const char **a, const char **b)
{
	const char *x = *a + strspn(*a, "0"), *y = *b + strspn(*b, "0");
	size_t x_digits = strspn(x, DIGITS), y_digits = strspn(y, DIGITS);

	*a = x + x_digits;
	*b = y + y_digits;
	if (x_digits != y_digits)
		return x_digits < y_digits ? -1 : 1;
	return memcmp(x, y, x_digits);
}

static char until_plus(const char *text)
{
	return *text == '+' ? '\0' : *text;
}

static int compare_words(const char *a, const char *b)
{
	while (until_plus(a) || until_plus(b)) {
		int order;

		if (is_digit(*a) && is_digit(*b)) {
			order = compare_numbers(&a, &b);
		} else {
			order = until_plus(a) - until_plus(b);
			a++;
			b++;
		}
		if (order)
			return order;
	}
	return 0;
}

int version_compare(const char *a, const char *b)
{
	while (is_digit(*a) || is_digit(*b)) {
		int order = compare_numbers(&a, &b);

		if (order)
			return order;
		a += *a == '.';
		b += *b == '.';
	}
	if ((*a == '-') != (*b == '-'))
		return *a == '-' ? -1 : 1;
	return *a == '-' ? compare_words(a + 1, b + 1) : 0;
}
