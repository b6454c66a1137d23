#include "crypto/age.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <string>
#include <vector>

#include "crypto/age_test_util.h"

namespace spl::crypto {
namespace {

using Position = AgeChunks::Position;

constexpr std::string_view kNothingGiven = "bundle is encrypted: give --age-identity or --passphrase-file";
constexpr std::string_view kWrongKey = "no given key opens this bundle";

std::size_t header_bytes(std::string_view file) {
  return parse_age_header(file)->length_bytes;
}

std::string raw_file(const std::vector<std::pair<std::string, Position>>& chunks) {
  const SecretBytes file_key("0123456789abcdef");
  return age_assemble({wrap_for_recipient(file_key, test_recipients().front(), test_random()).value()}, file_key,
                      chunks);
}

void expect_refused(std::string_view file, std::string_view what) {
  const auto text = age_decrypt(file, test_identities());
  ASSERT_FALSE(text) << what;
  EXPECT_EQ(text.error().code, ErrorCode::kVerification) << what;
}

TEST(Age, OpensWhatItSealedAtEverySize) {
  const auto identities = test_identities();
  for (const std::size_t size : {0, 1, 65535, 65536, 65537, 131072, 300000, 1000000}) {
    const std::string text = test_text(size);
    const std::string file = age_encrypt(text);
    const auto opened = age_decrypt(file, identities);
    ASSERT_TRUE(opened) << size << ": " << opened.error().message;
    EXPECT_TRUE(*opened == text) << size;
    const std::size_t chunks = size == 0 ? 1 : (size + kAgeChunkBytes - 1) / kAgeChunkBytes;
    EXPECT_EQ(file.size(), header_bytes(file) + kAgePayloadNonceBytes + size + 16 * chunks);
  }
}

TEST(Age, ADifferenceInPiecesMakesNoDifferenceInTheFile) {
  const std::string text = test_text(200000);
  const std::string whole = age_encrypt(text);
  for (const std::size_t piece : {999, 65535, 65536, 65537, 131072}) {
    base::StringSink out;
    const auto sink = AgeEncryptSink::make(out, test_recipients(), test_random()).value();
    for (std::size_t at = 0; at < text.size(); at += piece)
      ASSERT_TRUE(sink->write(std::string_view(text).substr(at, piece)));
    ASSERT_TRUE(sink->write({}));
    ASSERT_TRUE(sink->finish());
    EXPECT_TRUE(out.text == whole) << piece;
  }
}

// Gives what another source has in small pieces.
class DrippingSource final : public Source {
 public:
  DrippingSource(std::string_view octets, std::size_t piece) : in_(octets), piece_(piece) {}
  Result<std::size_t> read(std::span<char> out) override { return in_.read(out.first(std::min(piece_, out.size()))); }

 private:
  base::StringSource in_;
  std::size_t piece_;
};

TEST(Age, ReadsFromASourceThatGivesLittleAtATimeAndIntoAnyBuffer) {
  const std::string text = test_text(140000);
  const std::string file = age_encrypt(text);
  for (const std::size_t piece : {1, 17, 65552, 65553}) {
    DrippingSource in(file, piece);
    const auto source = AgeDecryptSource::open(in, test_identities(), nullptr).value();
    std::string opened;
    std::vector<char> buffer(piece);
    for (;;) {
      const auto n = source->read(buffer);
      ASSERT_TRUE(n);
      if (*n == 0) break;
      opened.append(buffer.data(), *n);
    }
    EXPECT_EQ(source->read(buffer).value(), 0u) << "the end stays the answer";
    EXPECT_TRUE(opened == text) << piece;
  }
}

TEST(Age, OpensForEachOfSeveralRecipients) {
  std::vector<AgeIdentity> all;
  std::vector<Recipient> recipients;
  for (int i = 0; i < 3; ++i) {
    all.push_back(
        AgeIdentity::parse(to_bech32("AGE-SECRET-KEY-", std::string(32, static_cast<char>('a' + i)))).value());
    recipients.push_back(all.back().recipient());
  }
  const std::string file = age_encrypt("text", recipients);
  for (const AgeIdentity& identity : all) {
    base::StringSource in(file);
    const auto source = AgeDecryptSource::open(in, std::span(&identity, 1), nullptr);
    ASSERT_TRUE(source);
    EXPECT_EQ((*source)->recipient(), identity.recipient());
    EXPECT_EQ((*source)->x25519_stanzas(), 3u);
    EXPECT_EQ(base::read_all(**source, 100).value(), "text");
  }
  std::vector<AgeIdentity> wrong_then_right = test_identities();
  wrong_then_right.push_back(std::move(all[1]));
  EXPECT_EQ(age_decrypt(file, wrong_then_right).value(), "text");
}

TEST(Age, OpensWithThePassphrase) {
  const SecretBytes passphrase("correct horse");
  const std::string file = age_encrypt_with_passphrase("text", "correct horse");
  base::StringSource in(file);
  const auto source = AgeDecryptSource::open(in, {}, &passphrase);
  ASSERT_TRUE(source);
  EXPECT_FALSE((*source)->recipient());
  EXPECT_EQ((*source)->x25519_stanzas(), 0u);
  EXPECT_EQ(base::read_all(**source, 100).value(), "text");
  EXPECT_EQ(age_decrypt(file, test_identities(), &passphrase).value(), "text");
}

TEST(Age, SaysWhatToGiveWhereNothingFits) {
  const std::string for_recipient = age_encrypt("text");
  const std::string for_passphrase = age_encrypt_with_passphrase("text", "p");
  const SecretBytes passphrase("p");
  for (const auto& result :
       {age_decrypt(for_recipient, {}), age_decrypt(for_passphrase, {}), age_decrypt(for_recipient, {}, &passphrase),
        age_decrypt(for_passphrase, test_identities())}) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kVerification);
    EXPECT_EQ(result.error().message, kNothingGiven);
    EXPECT_FALSE(result.error().hint.empty());
  }
}

TEST(Age, SaysThatAKeyOrPassphraseIsTheWrongOne) {
  const SecretBytes wrong("wrong");
  const auto other = AgeIdentity::parse(to_bech32("AGE-SECRET-KEY-", std::string(32, 'x'))).value();
  const std::string file = age_encrypt("text");
  for (const auto& result :
       {age_decrypt(file, std::span(&other, 1)), age_decrypt(age_encrypt_with_passphrase("text", "p"), {}, &wrong)}) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kVerification);
    EXPECT_EQ(result.error().message, kWrongKey);
  }
}

TEST(Age, RefusesAFileThatIsCutAtAnyByte) {
  const std::string file = age_encrypt("some text");
  for (std::size_t size = 0; size < file.size(); ++size)
    expect_refused(std::string_view(file).substr(0, size), std::to_string(size));
}

TEST(Age, RefusesAFileThatIsCutAroundAChunk) {
  const std::string file = age_encrypt(test_text(3 * kAgeChunkBytes));
  const std::size_t payload = header_bytes(file) + kAgePayloadNonceBytes;
  for (std::size_t chunks = 0; chunks <= 2; ++chunks) {
    for (const std::size_t more : {0, 1, 15, 16, 17, 65551}) {
      const std::size_t size = payload + chunks * kAgeSealedChunkBytes + more;
      expect_refused(std::string_view(file).substr(0, size), std::to_string(size));
    }
  }
}

TEST(Age, RefusesEveryFlippedBit) {
  const auto identities = test_identities();
  const std::string file = age_encrypt("some text");
  for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
    std::string changed = file;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    const auto text = age_decrypt(changed, identities);
    ASSERT_FALSE(text) << bit;
    EXPECT_EQ(text.error().code, ErrorCode::kVerification) << bit;
  }
}

TEST(Age, RefusesBytesAfterTheEnd) {
  for (const std::size_t size : {0, 5, 65536, 65537}) {
    const std::string file = age_encrypt(test_text(size));
    expect_refused(file + '\0', "one byte");
    expect_refused(file + file, "the file again");
    expect_refused(file + file.substr(header_bytes(file) + kAgePayloadNonceBytes), "a chunk again");
  }
}

TEST(Age, RefusesAnEmptyLastChunkUnlessItIsTheOnlyOne) {
  const std::string full = test_text(kAgeChunkBytes);
  EXPECT_EQ(age_decrypt(raw_file({{"", Position::kLast}}), test_identities()).value(), "");
  EXPECT_TRUE(age_decrypt(raw_file({{full, Position::kLast}}), test_identities()));
  expect_refused(raw_file({{full, Position::kMore}, {"", Position::kLast}}), "empty last");
}

TEST(Age, RefusesChunksInAnyOtherArrangement) {
  const std::string full = test_text(kAgeChunkBytes);
  expect_refused(raw_file({{full, Position::kMore}}), "no last chunk");
  expect_refused(raw_file({{full, Position::kMore}, {"end", Position::kMore}}), "end not marked");
  expect_refused(raw_file({{full, Position::kLast}, {"end", Position::kLast}}), "two ends");
  expect_refused(raw_file({{"short", Position::kMore}, {"end", Position::kLast}}), "short chunk");
  expect_refused(raw_file({}), "no chunk");
  const std::string file = age_encrypt(test_text(3 * kAgeChunkBytes));
  const std::size_t payload = header_bytes(file) + kAgePayloadNonceBytes;
  const auto chunk = [&](std::size_t i) {
    return file.substr(payload + i * kAgeSealedChunkBytes, kAgeSealedChunkBytes);
  };
  const std::string before = file.substr(0, payload);
  ASSERT_TRUE(age_decrypt(before + chunk(0) + chunk(1) + chunk(2), test_identities()));
  expect_refused(before + chunk(1) + chunk(0) + chunk(2), "swapped");
  expect_refused(before + chunk(0) + chunk(2), "left out");
  expect_refused(before + chunk(0) + chunk(0) + chunk(1) + chunk(2), "repeated");
}

TEST(Age, GivesNothingOfABadChunkAndKeepsToItsError) {
  const std::string text = test_text(2 * kAgeChunkBytes);
  std::string file = age_encrypt(text);
  file.back() = static_cast<char>(file.back() ^ 1);
  base::StringSource in(file);
  const auto source = AgeDecryptSource::open(in, test_identities(), nullptr).value();
  std::vector<char> buffer(text.size());
  const auto n = base::read_full(*source, std::span(buffer).first(kAgeChunkBytes));
  ASSERT_TRUE(n);
  EXPECT_TRUE(std::string_view(buffer.data(), *n) == text.substr(0, kAgeChunkBytes));
  std::ranges::fill(buffer, '?');
  for (int i = 0; i < 3; ++i) {
    const auto more = source->read(buffer);
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().code, ErrorCode::kVerification);
  }
  EXPECT_EQ(std::string_view(buffer.data(), buffer.size()).find_first_not_of('?'), std::string_view::npos);
}

TEST(Age, WithoutFinishNothingCanBeOpened) {
  for (const std::size_t size : {0, 1, 65536, 131072, 131073}) {
    base::StringSink out;
    const auto sink = AgeEncryptSink::make(out, test_recipients(), test_random()).value();
    ASSERT_TRUE(sink->write(test_text(size)));
    expect_refused(out.text, std::to_string(size));
  }
}

TEST(Age, NoTwoFilesShareAKeyOrAShare) {
  base::StringSink a, b;
  ASSERT_TRUE(AgeEncryptSink::make(a, test_recipients(), test_random(1)));
  ASSERT_TRUE(AgeEncryptSink::make(b, test_recipients(), test_random(2)));
  const auto of = [](const std::string& file) { return parse_age_header(file).value(); };
  EXPECT_NE(of(a.text).stanzas[0].arguments[1], of(b.text).stanzas[0].arguments[1]);
  EXPECT_NE(of(a.text).stanzas[0].body, of(b.text).stanzas[0].body);
  const std::string twice = age_encrypt("", {test_recipients().front(), test_recipients().front()});
  EXPECT_NE(of(twice).stanzas[0].arguments[1], of(twice).stanzas[1].arguments[1]);
}

TEST(Age, TakesOneToSixtyFourRecipientsAndAPassphrase) {
  base::StringSink out;
  const auto make = [&out](std::size_t recipients) {
    return AgeEncryptSink::make(out, std::vector<Recipient>(recipients, test_recipients().front()), test_random());
  };
  EXPECT_EQ(make(0).error().code, ErrorCode::kUsage);
  EXPECT_EQ(make(kAgeStanzasMax + 1).error().code, ErrorCode::kUsage);
  EXPECT_EQ(AgeEncryptSink::make_with_passphrase(out, SecretBytes(), test_random(), 2).error().code, ErrorCode::kUsage);
  EXPECT_EQ(out.text, "");
  const auto most = make(kAgeStanzasMax);
  ASSERT_TRUE(most);
  ASSERT_TRUE((*most)->finish());
  EXPECT_EQ(age_decrypt(out.text, test_identities()).value(), "");
}

// Fails from the n-th call on.
class FailingStream final : public Source, public Sink {
 public:
  FailingStream(std::string_view octets, int good_calls) : in_(octets), good_calls_(good_calls) {}
  Result<std::size_t> read(std::span<char> out) override {
    if (good_calls_-- <= 0) return fail(ErrorCode::kUnavailable, "the disk is gone");
    return in_.read(out.first(std::min<std::size_t>(out.size(), 1000)));
  }
  Result<void> write(std::string_view /*octets*/) override {
    if (good_calls_-- <= 0) return fail(ErrorCode::kUnavailable, "the disk is gone");
    return {};
  }

 private:
  base::StringSource in_;
  int good_calls_;
};

TEST(Age, HandsOnErrorsOfTheStreamBelow) {
  const std::string file = age_encrypt(test_text(200000));
  for (const int good_calls : {0, 1, 50, 100}) {
    FailingStream in(file, good_calls);
    auto source = AgeDecryptSource::open(in, test_identities(), nullptr);
    const auto text = source ? base::read_all(**source, 1 << 20) : Result<std::string>(std::unexpected(source.error()));
    ASSERT_FALSE(text) << good_calls;
    EXPECT_EQ(text.error().code, ErrorCode::kUnavailable) << good_calls;
  }
  FailingStream no_room({}, 0);
  EXPECT_FALSE(AgeEncryptSink::make(no_room, test_recipients(), test_random()));
  FailingStream little_room({}, 2);
  const auto sink = AgeEncryptSink::make(little_room, test_recipients(), test_random()).value();
  EXPECT_TRUE(sink->write(test_text(kAgeChunkBytes + 1)));
  EXPECT_EQ(sink->finish().error().code, ErrorCode::kUnavailable);
}

TEST(Age, IsToldByItsFirstBytes) {
  const std::string file = age_encrypt("text");
  EXPECT_TRUE(looks_like_age(file));
  EXPECT_TRUE(looks_like_age(std::string_view(file).substr(0, kAgeMagicBytes)));
  EXPECT_FALSE(looks_like_age(std::string_view(file).substr(0, kAgeMagicBytes - 1)));
  EXPECT_FALSE(looks_like_age(" " + file));
  EXPECT_FALSE(looks_like_age(""));
  EXPECT_FALSE(looks_like_age("-----BEGIN AGE ENCRYPTED FILE-----\n"));
  EXPECT_TRUE(looks_like_armored_age("-----BEGIN AGE ENCRYPTED FILE-----\n"));
  EXPECT_FALSE(looks_like_armored_age(file));
}

TEST(Age, LeavesNoErrorForOtherUsersOfOpenSsl) {
  const SecretBytes wrong("wrong");
  std::string file = age_encrypt("some text");
  file.back() = static_cast<char>(file.back() ^ 1);
  EXPECT_FALSE(age_decrypt(file, test_identities()));
  EXPECT_FALSE(age_decrypt(age_encrypt_with_passphrase("text", "p"), {}, &wrong));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace spl::crypto
