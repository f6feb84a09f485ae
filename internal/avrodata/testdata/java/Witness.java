import com.fasterxml.jackson.databind.ObjectMapper;
import io.apicurio.registry.serde.avro.NonRecordContainer;
import io.apicurio.registry.utils.converter.avro.AvroData;
import io.apicurio.registry.utils.converter.avro.AvroDataConfig;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.json.JsonConverter;

/** Answers questions, one a line: what Java writes for a datum, and what it reads. */
public class Witness {
  public static void main(String[] args) throws Exception {
    ObjectMapper json = new ObjectMapper();
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    JsonConverter carrier = new JsonConverter();
    carrier.configure(Map.of("schemas.enable", "true", "converter.type", "value", "schemas.cache.size", "10"));
    for (String line; (line = in.readLine()) != null; ) {
      Map<String, String> answer = new LinkedHashMap<>();
      try {
        Map<?, ?> q = json.readValue(line, Map.class);
        AvroData data = new AvroData(new AvroDataConfig((Map<?, ?>) q.get("config")));
        if (q.get("envelope") != null) {
          write(data, carrier.toConnectData("t", ((String) q.get("envelope")).getBytes(StandardCharsets.UTF_8)), answer);
        } else {
          read(data, carrier, (String) q.get("schema"), (String) q.get("data"), answer);
        }
      } catch (Throwable t) {
        answer.put("error", t.toString());
      }
      out.println(json.writeValueAsString(answer));
    }
  }

  static void write(AvroData data, SchemaAndValue datum, Map<String, String> answer) throws Exception {
    Schema schema = data.fromConnectSchema(datum.schema());
    Object value = data.fromConnectData(datum.schema(), datum.value());
    if (value instanceof NonRecordContainer) {
      value = ((NonRecordContainer) value).getValue();
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
    new GenericDatumWriter<>(schema).write(value, encoder);
    encoder.flush();
    answer.put("schema", schema.toString());
    answer.put("data", Base64.getEncoder().encodeToString(bytes.toByteArray()));
  }

  static void read(AvroData data, JsonConverter carrier, String text, String bytes, Map<String, String> answer) throws Exception {
    Schema schema = new Schema.Parser().parse(text);
    Object value = new GenericDatumReader<>(schema).read(null, DecoderFactory.get().binaryDecoder(Base64.getDecoder().decode(bytes), null));
    SchemaAndValue datum = data.toConnectData(schema, value);
    answer.put("schema", schema.toString());
    if (datum == null) {
      datum = SchemaAndValue.NULL;
    }
    answer.put("envelope", new String(carrier.fromConnectData("t", datum.schema(), datum.value()), StandardCharsets.UTF_8));
  }
}
